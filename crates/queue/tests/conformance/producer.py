"""Publishes the lines of standard input, each a body in hex, as somebody else would."""

import sys

transport, url, queue, exchange = sys.argv[1:]
bodies = [bytes.fromhex(line.strip()) for line in sys.stdin]

if transport == "redis":
    import redis

    client = redis.from_url(url)
    for number, body in enumerate(bodies):
        field = ["job", "data", "payload", "anything"][number % 4]
        client.xadd(queue, {field: body})
elif transport == "rabbitmq":
    import pika

    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    for number, body in enumerate(bodies):
        # To the exchange, and straight to the queue.
        to = exchange if number % 2 == 0 else ""
        kind = [None, "application/json", "application/octet-stream"][number % 3]
        properties = pika.BasicProperties(content_type=kind, delivery_mode=2)
        channel.basic_publish(to, queue, body, properties, mandatory=True)
    connection.close()
elif transport == "folder":
    import os

    for number, body in enumerate(bodies):
        path = os.path.join(url, f"job-{number}.json")
        with open(path + ".tmp", "wb") as file:
            file.write(body)
        os.rename(path + ".tmp", path)
elif transport == "kafka":
    from urllib.parse import urlsplit

    from kafka import KafkaProducer

    place = urlsplit(url)
    producer = KafkaProducer(
        bootstrap_servers=f"{place.hostname}:{place.port}",
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username=place.username,
        sasl_plain_password=place.password,
        max_request_size=8 << 20,
    )
    for body in bodies:
        producer.send(queue, body)
    producer.flush()
    producer.close()
else:
    sys.exit(f"{transport} is not known")
