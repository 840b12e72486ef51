"""The page of attacks: `python tests/attacks/catalogue.py > docs/reference/attacks.md`.

A test belongs to an attack by its name: `test_a05_...`, or `test_a07_a08_...` to two.
"""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parent.parent

# Number -> (what is tried, what happens). Numbers are for good: one that goes is not used again.
ATTACKS = {
    1: ("any operation without a signature", "`MissingAuthenticationToken`; S3 403 `AccessDenied`"),
    2: ("every route by every method without a signature", "401, 403, 404 or 405; no CORS grant"),
    3: ("WebSockets and event streams", "403: no other protocol is spoken"),
    4: ("an unknown access key", "`UnrecognizedClientException`, `InvalidAccessKeyId`; as much "
        "work as for a wrong signature"),
    5: ("one bit of a signature changed; a body changed after signing",
        "`InvalidSignatureException`, `SignatureDoesNotMatch`, `XAmzContentSHA256Mismatch`"),
    6: ("clocks 16 minutes off", "`RequestTimeTooSkewed`; 14 minutes are fine"),
    7: ("a streaming mode with an invented signature (CVE-2026-40344)", "`SignatureDoesNotMatch`"),
    8: ("the same on every route that writes", "403"),
    9: ("wrong chunks, trailers, sizes of chunks", "403 or 400; the old object stays"),
    10: ("another scope of the signature; headers that are not signed", "400 or 403"),
    11: ("presigned addresses: expired, for other methods or keys, signed twice", "400 or 403"),
    12: ("presigned by version 2; behind proxies; forged `X-Forwarded-*`", "as on AWS; accepted "
         "with `external_url`; ignored"),
    13: ("the same name twice", "`ResourceInUse`"),
    14: ("fifty attempts of one call at once", "one resource, fifty equal answers"),
    16: ("everything about somebody else's things", "as if they did not exist"),
    17: ("everything about somebody else's bucket", "403 `AccessDenied`"),
    18: ("jobs and models that refer to somebody else's data or role", "`AccessDeniedException`"),
    19: ("somebody else's endpoint, `TargetModel` and `TargetVariant` made up", "403; 400"),
    20: ("a job's credentials for other things, and after its end",
         "`AccessDenied`; `ExpiredToken`"),
    21: ("archives whose members lead elsewhere", "refused whole; nothing is left"),
    22: ("archives with links (CVE-2025-4517)", "refused whole"),
    23: ("archives with devices, sparse files, setuid bits", "refused; rights mean nothing"),
    24: ("archives with a name twice, or twice but for case or accents", "refused"),
    25: ("archives that are bombs", "refused, with little memory used"),
    26: ("archives that are broken", "`ClientError: model archive unreadable`"),
    27: ("an object replaced after the job was asked for", "what was checked is what is used"),
    28: ("models and objects that are pickles", "nothing but a job's own program loads them, in "
        "the isolation of its run"),
    29: ("requests to models that are pickles", "415, 400; never loaded"),
    30: ("models of frameworks that run code when they are loaded", "as pickles"),
    31: ("a model's artifact replaced, where `ModelDataSource` says its `ETag`", "refused: "
        "artifact digest changed; without an `ETag`, as on AWS, what lies there is served"),
    32: ("deep, endless, double and impossible JSON; XML with entities",
        "`SerializationException`, `MalformedXML`"),
    34: ("variables and arguments that a shell would run", "arrive to the byte"),
    35: ("images whose name is none", "`ValidationException`"),
    36: ("requirements and entry points of scripts", "are the job's own, in the isolation of its "
        "run"),
    37: ("odd keys", "opaque, to the byte; beyond 1,024 bytes, NUL and bad UTF-8 refused"),
    38: ("odd names of buckets", "`InvalidBucketName`"),
    39: ("paths that lead out, encoded once and twice", "400, 403 or 404; never content"),
    40: ("a folder beside the root whose name begins alike (CVE-2026-35397)", "404"),
    41: ("a link in the place of a stored file", "not followed; told as damage"),
    42: ("`file:` and other addresses for data and models", "`ValidationException`"),
    43: ("a key that is one for the policy and another for the store (CVE-2026-42882)", "one key "
         "for both"),
    44: ("file names in forms that lead elsewhere", "opaque"),
    45: ("addresses inside the network (SSRF)", "`ValidationException`; nobody is called"),
    46: ("addresses that look like S3's", "`ValidationException`"),
    47: ("from inside a job: metadata, sockets of engines, other processes", "refused or absent"),
    48: ("variables of a job that lead pulls elsewhere", "are the container's alone"),
    49: ("strange, two or no hosts (DNS rebinding)", "421; 400"),
    50: ("pages of strangers, with cookies and without", "403; nothing happens"),
    51: ("WebSockets from foreign origins", "403"),
    52: ("variables with secrets", "told to their owner alone"),
    53: ("faults in every operation", "500; no credential in any log"),
    54: ("tokens in addresses", "403; in no log; `Referrer-Policy: no-referrer`"),
    55: ("another user of the machine", "sees no secret"),
    56: ("keys that were revoked; a copy of the database", "dead within 30 s; signs nothing"),
    62: ("containers that ask for privileges, devices, mounts, networks of the machine",
        "no member says so; none is given"),
    63: ("images that load code into what hands GPUs on (CVE-2025-23266)", "`LD_PRELOAD` is "
        "emptied; `studio doctor` names an old toolkit"),
    64: ("thousands of ranges, impossible ranges", "one range or the whole; `InvalidRange`"),
    65: ("ambiguous, endless and slow HTTP", "400, 431 or 408, and the connection ends"),
    66: ("bodies that do not fit their length or digest", "the error of S3; the old object stays"),
    67: ("uploads in parts that do not fit", "the error of S3; exactly one wins"),
    70: ("endpoints: too much, unknown, broken, late, endless", "413, 400, 424, 503"),
    71: ("keys of applications: guessed, doubled, in addresses, of other endpoints, from strange "
         "pages", "403; no key is on the disk"),
}  # fmt: skip

ABSENT = {
    15: "pipelines are not executed yet",
    33: "monitoring is not executed yet: nothing reads baselines or statistics",
}

_HEAD = """\
# Attacks

What is tried against Studio by its own tests, and what happens. Each number has tests of its name
(`test_a05_...`): `python -m pytest tests -k a05` runs them. That nothing has happened is asserted
as well: rows, files and runs are as they were. [Security](../explanation/security.md) says why.
This page is generated (`make docs`).

| | what is tried | what happens | tests |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    found = tests()
    rows = [
        f"| A{number} | {tried} | {happens} | `{'`, `'.join(sorted(found[number]))}` |"
        for number, (tried, happens) in ATTACKS.items()
    ]
    absent = [f"| A{number} | {reason} |" for number, reason in ABSENT.items()]
    return (
        _HEAD
        + "\n".join(rows)
        + "\n\n## Of parts that do not exist yet\n\n| | |\n| --- | --- |\n"
        + "\n".join(absent)
        + "\n"
    )


def tests() -> dict[int, set[str]]:
    """The files that have tests of each number."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in TESTS.glob("**/test_*.py"):
        text = path.read_text()
        for node in ast.parse(text).body if "test_a" in text else ():
            if isinstance(node, ast.FunctionDef):
                prefix = re.match(r"test((?:_a\d\d)+)_", node.name)
                for number in re.findall(r"\d\d", prefix[1]) if prefix else ():
                    found[int(number)].add(str(path.relative_to(TESTS)))
    return found


if __name__ == "__main__":
    sys.stdout.write(page())
