# Two stages: the first builds with the scripts that everybody uses, the second holds the program and its libraries.

FROM debian:12-slim AS build
COPY scripts/setup scripts/packages.txt /src/scripts/
RUN /src/scripts/setup build && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN /src/scripts/build release skiff

FROM debian:12-slim
COPY scripts/setup scripts/packages.txt /tmp/scripts/
RUN /tmp/scripts/setup run \
 && rm -rf /var/lib/apt/lists/* /tmp/scripts \
 && useradd --system --no-create-home --home-dir /var/lib/skiff skiff \
 && install -d -o skiff -g skiff /var/lib/skiff
COPY --from=build /src/build/skiff /usr/bin/skiff
USER skiff
# 20881 local consumers, 20882 other agents and plain consumers, 20883 the HTTP API. Applications reach 20881 and 20883 through
# the network namespace of the host (--network host) or of the pod.
EXPOSE 20881 20882 20883
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["skiff", "status", "--json"]
ENTRYPOINT ["skiff"]
CMD ["run"]
