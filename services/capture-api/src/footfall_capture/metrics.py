"""What the Capture API counts. Labels have few values, so that a client cannot make new series."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from footfall_core.events import REJECTION_REASONS

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class CaptureMetrics:
    """The service's metrics in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.accepted = Counter("footfall_capture_events_accepted", "Events answered with success.", registry=registry)
        rejected = Counter(
            "footfall_capture_events_rejected",
            "Events that could not be stored and were recorded as rejected.",
            ["reason"],
            registry=registry,
        )
        self.rejected = {reason: rejected.labels(reason) for reason in REJECTION_REASONS}
        self.requests = Counter(
            "footfall_capture_requests",
            "Requests by the status of their answer; `disconnected` when the client did not wait for one.",
            ["status"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "footfall_capture_request_seconds",
            "From a request's headers to its answer, the upload included.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.append_seconds = Histogram(
            "footfall_capture_append_seconds",
            "From handing records to the event log until they are durable.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.body_bytes = Counter(
            "footfall_capture_body_bytes", "Bytes of bodies, as they travelled.", registry=registry
        )
        self._ok = self.requests.labels("200")

    def answered(self, status: int | str, seconds: float) -> None:
        """One request is over."""
        (self._ok if status == 200 else self.requests.labels(str(status))).inc()
        self.request_seconds.observe(seconds)
