"""Every kind of call of Segment's SDK for Python: `HOST KEY`."""

import json
import os
import sys
from datetime import UTC, datetime

from segment.analytics import Client

host, key = sys.argv[1:]
errors = []
client = Client(
    key,
    host=host,
    gzip=os.environ.get("GZIP") == "1",
    upload_interval=0.1,
    on_error=lambda error, items: errors.append(repr(error)),
)
when = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
context = {"ip": "198.51.100.4", "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
_, tracked = client.track("ann", "signup", {"plan": "pro", "amount": 12.5}, context=context, timestamp=when)
client.identify("ann", {"name": "Ann"}, anonymous_id="anonymous-1")
client.page("ann", "Docs", "Start", {"url": "https://shop.example/start", "path": "/start"})
client.screen("ann", "Docs", "Main", {"tab": 2})
client.group("ann", "acme", {"seats": 5})
client.alias("anonymous-2", "ann")
client.track(anonymous_id="anonymous-3", event="visit")
client.flush()
client.join()
print(json.dumps({"message_id": tracked["messageId"], "errors": errors}))
