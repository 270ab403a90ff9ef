# Two stages: the first builds the Debian package, the second is a slim Debian with that package installed.

FROM debian:12-slim AS build
COPY scripts/setup scripts/packages.txt /src/scripts/
RUN /src/scripts/setup build package && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN /src/scripts/package /packages

FROM debian:12-slim
COPY --from=build /packages /packages
# The package brings the user, /var/lib/skiff and the libraries; there is no systemd here to start the agent.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends /packages/skiff_*.deb \
 && rm -rf /var/lib/apt/lists/* /packages
USER skiff
# 20881 local consumers, 20882 other agents and plain consumers, 20883 the HTTP API. Applications reach 20881 and 20883 through
# the network namespace of the host (--network host) or of the pod.
EXPOSE 20881 20882 20883
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["skiff", "status", "--json"]
ENTRYPOINT ["skiff"]
CMD ["run"]
