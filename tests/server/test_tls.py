"""https: real clients trust the home's authority, and nothing else is trusted by it."""

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
import requests
from cryptography import x509
from studios import RunningStudio, run_studio
from waiting import PATIENCE_SECONDS

from studio import tls
from studio.errors import StudioError

NAMES = ["localhost", "127.0.0.1", "::1", "bench", "0.0.0.0", "not a name"]


@pytest.fixture(scope="module")
def secure(studio: RunningStudio) -> dict[str, str]:
    """The environment of a client that comes over https."""
    told = json.loads(
        run_studio("env", "--tls", "--format", "json", "--home", studio.home, env=studio.env)
    )
    values = {name: value for name, value in told.items() if value is not None}
    assert values["AWS_ENDPOINT_URL"].startswith("https://127.0.0.1:")
    return {**studio.env, **values}


def client(env: dict[str, str], service: str):
    session = boto3.Session(
        env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1"
    )
    return session.client(
        service, endpoint_url=env["AWS_ENDPOINT_URL"], verify=env["AWS_CA_BUNDLE"]
    )


def test_boto3_streams_its_chunks(secure: dict[str, str]) -> None:
    s3 = client(secure, "s3")
    seen = []
    s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: seen.append(request))
    s3.create_bucket(Bucket="over-tls")
    body = os.urandom(3 << 20)
    s3.put_object(Bucket="over-tls", Key="k", Body=body)
    assert seen[0].headers["x-amz-content-sha256"] == b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    got = s3.get_object(Bucket="over-tls", Key="k")
    assert got["Body"].read() == body
    assert "ContentEncoding" not in got
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "over-tls", "Key": "k"})
    assert requests.get(url, verify=secure["AWS_CA_BUNDLE"], timeout=30).content == body
    s3.close()
    sagemaker = client(secure, "sagemaker")
    assert "TrainingJobSummaries" in sagemaker.list_training_jobs()
    sagemaker.close()


def test_predictions_are_passed_on(secure: dict[str, str]) -> None:
    runtime = client(secure, "sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ClientError, match="ValidationError"):
        runtime.invoke_endpoint(EndpointName="none", Body=b"x")
    runtime.close()


def test_other_clients(secure: dict[str, str], tmp_path: Path) -> None:
    told = subprocess.run(
        [Path(sys.executable).with_name("aws"), "s3api", "list-buckets"],
        env=secure | {"HOME": str(tmp_path)},
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert told.returncode == 0, told.stderr
    context = ssl.create_default_context(cafile=secure["AWS_CA_BUNDLE"])
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for host in ("localhost", "127.0.0.1"):
        url = secure["AWS_ENDPOINT_URL"].replace("127.0.0.1", host) + "/_studio/health"
        with urllib.request.urlopen(url, context=context, timeout=30) as answer:
            assert answer.status == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure["AWS_ENDPOINT_URL"], timeout=30)


def test_a_program_that_knows_only_the_list_of_endpoints(
    secure: dict[str, str], studio: RunningStudio, tmp_path: Path
) -> None:
    path = tmp_path / ".aws" / "models" / "endpoints.json"
    write = ("env", "--home", studio.home, "--endpoints-json", path)
    run_studio(*write, env=studio.env)
    run_studio(*write, env=studio.env)  # our own is replaced
    program = (
        "import boto3, botocore.loaders, botocore.regions\n"
        "data = botocore.loaders.create_loader().load_data('endpoints')\n"
        "host = botocore.regions.EndpointResolver(data).construct_endpoint('sts', 'eu-west-1')\n"
        "sts = boto3.client('sts', region_name='us-east-1', "
        "endpoint_url='https://' + host['hostname'])\n"
        "print(sts.get_caller_identity()['Account'])\n"
    )
    hidden = ("AWS_ENDPOINT_URL", "PYTHONPATH")
    env = {name: value for name, value in secure.items() if not name.startswith(hidden)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=env | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stdout.strip() == "000000000000", done.stderr
    path.write_text('{"partitions": []}')
    with pytest.raises(AssertionError, match="another program's"):
        run_studio(*write, env=studio.env)


def test_no_listener_where_none_is_wanted(start_studio) -> None:
    plain = start_studio(tls_port="-1")
    assert not (plain.home / "tls").exists()
    with pytest.raises(AssertionError, match="no TLS listener"):
        run_studio("env", "--tls", "--home", plain.home, env=plain.env)


def test_keys_are_the_owners_alone(tmp_path: Path) -> None:
    files = tls.ensure(tmp_path, NAMES)
    for path in (files.server, files.authority.with_suffix(".key")):
        assert path.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in files.authority.read_bytes()
    assert b"PRIVATE" not in tls.write_bundle(tmp_path, {}).read_bytes()
    leaf = x509.load_pem_x509_certificates(files.server.read_bytes())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "bench"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_renewed_when_due_and_only_then(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    files = tls.ensure(tmp_path, NAMES, now)
    bundle = tls.write_bundle(tmp_path, {})
    authority, server = files.authority.read_bytes(), files.server.read_bytes()

    def state(moment: datetime, names: list[str]) -> tuple[bool, bool]:
        """Whether authority and server are what they were at first; the bundle knows both."""
        tls.ensure(tmp_path, names, moment)
        assert files.authority.read_bytes() in bundle.read_bytes()
        same = files.authority.read_bytes() == authority
        return same, files.server.read_bytes() == server

    assert state(now + timedelta(days=300), NAMES) == (True, True)
    assert state(now + timedelta(days=380), NAMES) == (True, False)
    assert state(now, NAMES[:3]) == (True, False)  # fewer names need no other authority
    assert state(now, [*NAMES, "moved"]) == (False, False)
    authority = files.authority.read_bytes()
    assert state(now + timedelta(days=3640), NAMES) == (False, False)
    authority, server = files.authority.read_bytes(), files.server.read_bytes()
    files.server.write_bytes(b"damaged")
    tls.ensure(tmp_path, NAMES, now + timedelta(days=3640))
    assert files.server.read_bytes().startswith(b"-----BEGIN PRIVATE KEY")
    assert files.authority.read_bytes() == authority


def test_the_authority_vouches_for_this_machine_only(tmp_path: Path) -> None:
    """A certificate for another site, signed with the authority's key, is refused by clients."""
    tls.ensure(tmp_path, NAMES)
    files = tls.files(tmp_path)
    pair = tls._read(files.authority.with_suffix(".key"))
    assert pair is not None
    forged = tls._new_server(pair, [x509.DNSName("sts.amazonaws.com")], datetime.now(UTC))
    path = tmp_path / "forged.pem"
    path.write_bytes(tls._pem(forged))
    server, browser = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(path)
    browser.load_verify_locations(files.authority)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        shake_hands(server, browser, "sts.amazonaws.com")
    server.load_cert_chain(files.server)
    shake_hands(server, browser, "localhost")


def shake_hands(server: ssl.SSLContext, browser: ssl.SSLContext, name: str) -> None:
    to_server, to_browser = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = browser.wrap_bio(to_browser, to_server, server_hostname=name)
    other = server.wrap_bio(to_server, to_browser, server_side=True)
    for side in (one, other, one, other):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


def test_a_bundle_keeps_what_the_user_trusts(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="no certificate yet"):
        tls.write_bundle(tmp_path, {})
    files = tls.ensure(tmp_path, NAMES)
    own = tmp_path / "own.pem"
    own.write_bytes(b"# the company's\n")
    bundle = tls.write_bundle(tmp_path, {"AWS_CA_BUNDLE": str(own)}).read_bytes()
    assert bundle == b"# the company's\n" + files.authority.read_bytes()
    with pytest.raises(StudioError, match="can't be read"):
        tls.write_bundle(tmp_path, {"AWS_CA_BUNDLE": str(tmp_path / "missing")})
