"""The Capture API: events in over HTTP, records out to the event log. `routes` is where to start reading."""
