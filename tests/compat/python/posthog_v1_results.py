"""One event that is taken, one that is mended, one that is dropped, in one batch of version 1: `HOST KEY`."""

import json
import sys
from datetime import UTC, datetime

from posthog import Posthog

host, key = sys.argv[1:]
dropped = []
client = Posthog(
    key, host=host, capture_mode="v1", flush_interval=1, on_error=lambda error, batch: dropped.extend(error.drops)
)
uuids = {
    "good": client.capture("good", distinct_id="ann"),
    "mended": client.capture("mended", distinct_id="ann", timestamp=datetime(1812, 6, 24, tzinfo=UTC)),
    "dropped": client.capture("x" * 201, distinct_id="ann"),
}
client.flush()
client.shutdown()
print(json.dumps({"uuids": uuids, "dropped": dropped}))
