"""Reads requests of OTLP, each behind its length in four bytes, and prints their spans as JSON."""

import json
import struct
import sys

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def plain(value):
    return getattr(value, value.WhichOneof("value"))


def attributes(of):
    return {one.key: plain(one.value) for one in of.attributes}


data = sys.stdin.buffer.read()
spans = []
while data:
    (length,) = struct.unpack(">I", data[:4])
    request = ExportTraceServiceRequest()
    request.ParseFromString(data[4 : 4 + length])
    data = data[4 + length :]
    # What it does not know it keeps, and would write again.
    request.DiscardUnknownFields()
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                spans.append(
                    {
                        "resource": attributes(resource.resource),
                        "scope": scope.scope.name,
                        "trace": span.trace_id.hex(),
                        "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "name": span.name,
                        "kind": Span.SpanKind.Name(span.kind),
                        "start": span.start_time_unix_nano,
                        "end": span.end_time_unix_nano,
                        "status": span.status.code,
                        "message": span.status.message,
                        "attributes": attributes(span),
                    }
                )
json.dump(spans, sys.stdout)
