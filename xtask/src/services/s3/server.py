"""Moto, with one user whose key is known, some buckets, and every signature looked at.

Arguments: port, port with TLS, certificate, its key, name of the access key, the access key, buckets.
What it keeps is in its memory, and gone with it.
"""

import sys
import threading

import flask
from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.access_control import IAMRequestBase
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

port, secure_port, certificate, key, name, secret, *buckets = sys.argv[1:]

iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
iam.create_user("us-east-1", "fathom")
access = iam.create_access_key("fathom")
access.access_key_id, access.secret_access_key = name, secret
iam.put_user_policy(
    "fathom",
    "all-of-s3",
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
)
for bucket in buckets:
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(bucket, "us-east-1")
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0



def as_sent(init):
    """Signatures are of addresses as they came; moto looks at what they mean."""

    def wrapped(self, *arguments, **named):
        named["path"] = flask.request.environ["RAW_URI"]
        init(self, *arguments, **named)

    return wrapped


IAMRequestBase.__init__ = as_sent(IAMRequestBase.__init__)

application = DomainDispatcherApplication(create_backend_app)
secure = make_server("127.0.0.1", int(secure_port), application, threaded=True, ssl_context=(certificate, key))
threading.Thread(target=secure.serve_forever, daemon=True).start()
make_server("127.0.0.1", int(port), application, threaded=True).serve_forever()
