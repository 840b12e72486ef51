"""POST forms, as browsers upload: fields, then the file, under a policy that is signed.

The file goes to the disk as it comes. Nothing is written before the form is known to be allowed.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode, urlsplit

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from studio.s3 import objects, post_policy, refused
from studio.s3.errors import S3Error, invalid_argument
from studio.s3.intake import Intake
from studio.s3.message import Body, Call, Form, Response
from studio.s3.names import check_key
from studio.s3.post_policy import Policy
from studio.s3.xml import document, parse

_MAX_FIELDS_BYTES = 20_000
_MAX_FIELDS = 200
# What no policy has to mention: the signature cannot cover itself.
_UNNAMED = ("awsaccesskeyid", "signature", "x-amz-signature", "policy", "file")
_IGNORED = "x-ignore-"
_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
)
_STATUSES = {"200": 200, "201": 201}


def is_form(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request carries its authorization in a form."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return method == "POST" and kind == "multipart/form-data" and "authorization" not in headers


class FormIntake:
    """Takes the body of a form as `Intake` takes a plain one.

    `allow` authenticates fields and key; `opened` makes the intake of a file that comes with
    these headers. Both raise S3Error, and run when the fields are complete.
    """

    def __init__(
        self,
        bucket: str,
        content_type: str,
        now: float,
        allow: Callable[[Mapping[str, str], str], None],
        opened: Callable[[Mapping[str, str]], Intake],
    ) -> None:
        self._bucket, self._now = bucket, now
        self._allow, self._opened = allow, opened
        _, options = parse_options_header(content_type)
        try:
            self._parser = PushMultipartParser(
                options.get("boundary", ""), max_segment_count=_MAX_FIELDS, strict=True
            )
        except (MultipartError, UnicodeError):
            raise _malformed() from None
        self._fields: dict[str, str] = {}
        self._room = _MAX_FIELDS_BYTES
        self._name = ""
        self._value = bytearray()
        self._filename: str | None = None
        self._file: Intake | None = None
        self._form: Form | None = None
        self._policy: Policy | None = None
        self._received = 0
        self._over = False

    def feed(self, data: bytes) -> None:
        try:
            for event in self._parser.parse(data):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif event is None:
                    self._end()
                else:
                    self._take(event)
        except MultipartError:
            raise _malformed() from None

    def finish(self) -> Body:
        """The file and what the form says of it. Raises S3Error; `discard` is then due."""
        try:
            self._parser.close()
        except MultipartError:
            raise _malformed() from None
        if self._file is None or self._policy is None:
            raise invalid_argument(
                "file", "0", "POST requires exactly one file upload per request."
            )
        if self._received < self._policy.least:
            raise S3Error(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=self._received,
                MinSizeAllowed=self._policy.least,
            )
        return replace(self._file.finish(), form=self._form)

    def discard(self) -> None:
        if self._file:
            self._file.discard()

    def _begin(self, segment: MultipartSegment) -> None:
        if self._over:
            return  # as on S3, what follows the file counts for nothing
        self._name = (segment.name or "").lower()
        self._value.clear()
        if self._name == "file":
            self._begin_file(segment.filename or "")
        elif self._name in self._fields:
            raise invalid_argument(
                self._name, "", f"POST requires exactly one field named '{self._name}'."
            )

    def _take(self, data: bytes) -> None:
        if self._over:
            return
        if self._file is not None and self._policy is not None:
            self._received += len(data)
            if self._received > self._policy.most:
                raise S3Error(
                    "EntityTooLarge",
                    "Your proposed upload exceeds the maximum allowed size",
                    ProposedSize=self._received,
                    MaxSizeAllowed=self._policy.most,
                )
            self._file.feed(data)
            return
        self._room -= len(data)
        if self._room < 0:
            raise S3Error(
                "MaxPostPreDataLengthExceeded",
                "Your POST request fields preceding the upload file were too large.",
                MaxPostPreDataLengthExceeded=_MAX_FIELDS_BYTES,
            )
        self._value += data

    def _end(self) -> None:
        if self._file is not None:
            self._over = True
            return
        try:
            self._fields[self._name] = self._value.decode()
        except UnicodeDecodeError:
            raise invalid_argument(self._name, "", "A field holds text in UTF-8.") from None

    def _begin_file(self, filename: str) -> None:
        """The fields are complete: all that can be refused is refused here."""
        if "key" not in self._fields:
            raise invalid_argument(
                "key",
                "",
                "Bucket POST must contain a field named 'key'. If it is specified, please check "
                "the order of the fields.",
            )
        # Browsers of old send whole paths, of either kind of system.
        name = filename.replace("\\", "/").rpartition("/")[2]
        fields = {key: text.replace("${filename}", name) for key, text in self._fields.items()}
        key = check_key(fields["key"])
        if "\0" in key:
            raise invalid_argument("key", "", "A key holds no NUL.")
        self._allow(self._fields, key)
        policy = post_policy.parse(self._fields.get("policy", ""))
        named = {n: text for n, text in fields.items() if n not in _UNNAMED}
        named = {n: text for n, text in named.items() if not n.startswith(_IGNORED)}
        post_policy.check(policy, named | {"bucket": self._bucket}, self._now)
        headers = dict(_headers(fields))
        refused.check_headers(headers)
        self._form = Form(key, headers, _redirect(fields), fields.get("success_action_status", ""))
        self._file = self._opened(headers)
        self._policy = policy


def post_object(call: Call) -> Response:
    form = call.body.form
    if form is None:
        raise S3Error("MalformedPOSTRequest", "A POST of a bucket carries multipart/form-data.")
    request = replace(call.request, key=form.key, headers=form.headers)
    stored = objects.put_object(replace(call, request=request))
    bucket, etag = call.request.bucket, stored.headers["etag"]
    location = f"/{bucket}/{quote(form.key)}"
    headers = dict(stored.headers) | {"location": location}
    if form.redirect:
        answer = urlencode({"bucket": bucket, "key": form.key, "etag": etag})
        parts = urlsplit(form.redirect)
        query = f"{parts.query}&{answer}" if parts.query else answer
        return Response(303, headers | {"location": parts._replace(query=query).geturl()})
    status = _STATUSES.get(form.status, 204)
    if status != 201:
        return Response(status, headers)
    pairs = (("Location", location), ("Bucket", bucket), ("Key", form.key), ("ETag", etag))
    return Response(201, headers, document("PostResponse", pairs, namespace=""))


def _headers(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The headers with which a PUT would say what the fields do; text as on the wire."""
    for name, text in fields.items():
        if not (name.startswith("x-amz-") or name in (*_HEADERS, "acl", "tagging")):
            continue
        if name == "tagging":
            text = _tagging(text)
        if any(ord(character) < 32 or ord(character) == 127 for character in text):
            raise invalid_argument(name, "", "A header holds no control characters.")
        renamed = {"acl": "x-amz-acl", "tagging": "x-amz-tagging"}
        yield renamed.get(name, name), text.encode().decode("latin-1")


def _tagging(text: str) -> str:
    """Tags in XML, as the header would hold them."""
    tags = parse(text.encode(), "Tagging").findall("TagSet/Tag")
    return urlencode([(tag.findtext("Key") or "", tag.findtext("Value") or "") for tag in tags])


def _redirect(fields: Mapping[str, str]) -> str:
    """Where the browser goes next; "" for what is no web address, which S3 ignores."""
    url = fields.get("success_action_redirect") or fields.get("redirect", "")
    if not (url.isascii() and url.isprintable()):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _malformed() -> S3Error:
    return S3Error(
        "MalformedPOSTRequest",
        "The body of your POST request is not well-formed multipart/form-data.",
    )
