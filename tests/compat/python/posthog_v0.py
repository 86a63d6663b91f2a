"""Every kind of event that PostHog's SDK for Python sends: `HOST KEY`. Says the uuids that it gave."""

import json
import os
import sys
from datetime import UTC, datetime

from posthog import Posthog

host, key = sys.argv[1:]
errors = []
client = Posthog(
    key,
    host=host,
    gzip=os.environ.get("GZIP") == "1",
    on_error=lambda error, batch: errors.append(repr(error)),
    flush_interval=0.1,
    **({"capture_mode": "v1"} if os.environ.get("MODE") == "v1" else {}),
)
when = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
uuids = {
    "signup": client.capture(
        "signup",
        distinct_id="ann",
        properties={"plan": "pro", "amount": 12.5, "items": ["a", "b"], "nested": {"deep": True}},
        timestamp=when,
        groups={"company": "acme"},
    ),
    "$set": client.set(distinct_id="ann", properties={"name": "Ann", "age": 33}),
    "$set_once": client.set_once(distinct_id="ann", properties={"first": "yes"}),
    "$groupidentify": client.group_identify("company", "acme", {"seats": 5}, distinct_id="ann"),
    "$create_alias": client.alias(previous_id="anonymous-1", distinct_id="ann"),
    "nobody": client.capture("nobody"),
}
flags = client.get_all_flags("ann")
client.flush()
client.shutdown()
print(json.dumps({"uuids": uuids, "flags": flags, "errors": errors}))
