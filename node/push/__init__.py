"""Push: school systems tell the node themselves, over gRPC, as pupils come and go.

The node opens a port for it only where its settings say `enrolment_listen`, inside the municipality's own network. Who
may call is decided by the node's administrator alone, with certificates of a CA that belongs to this node and means
nothing anywhere else (`certificates`, `admission`, `upprop node client`).

Each client is one school system, by the client's name. What it puts is a delivery like any other (`deliveries`,
`node.records`), about that system's roster and no other; a withdrawal ends a person's enrolments and may say why
(`pushing`). Whatever is taken is durable before it is answered, and a request that comes again gets its answer again.

To try it: `upprop node client add NAME --out DIR`, `enrolment_listen = "127.0.0.1:7450"` in the settings, `upprop node
serve`. A school system then dials that address with the three files in DIR, and calls `EnrolmentService` of
`proto/federation/v1/enrolment.proto`; tests/harness/push_client.py is one in a hundred lines.
"""
