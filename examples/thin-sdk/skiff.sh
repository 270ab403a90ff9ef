# A thin SDK for shell scripts: `. skiff.sh`, then skiff publish|unpublish|subscribe|unsubscribe SERVICE-JSON.
SKIFF_API=${SKIFF_API:-http://127.0.0.1:20883}

skiff() {
  curl -sS --fail-with-body "$SKIFF_API/$1" -d "{\"service\":$2}"
}
