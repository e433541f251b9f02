"""What no module of the house may do, read off its syntax trees; each rule is also shown a line that breaks it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.wall.tree import SOURCES, calls, dotted, imported, sources, texts

#: The only files that ask the system for randomness: for keys and for tokens, never for noise.
SECURE_RANDOMNESS = {
    "private/vault/seasons.py",
    "private/vault/keyfiles.py",
    "gate/keys.py",
    "gate/notary.py",
    "public/board/chain.py",
    "public/accounts/tokens.py",
    "private/collect/keys.py",
}
SECURE = re.compile(
    r"(?:.*\.)?(?:secrets(?:\..*)?|urandom|getrandom|RAND_bytes|SystemRandom|uuid[14]|generate_key|generate_private_key)"
)
INSECURE = re.compile(
    r"random(?:\..*)?|numpy\.random(?:\..*)?|np\.random(?:\..*)?|scipy\.stats(?:\..*)?|sklearn(?:\..*)?"
)
#: An engine's own randomness or hash, as SQL writes it.
SQL_RANDOMNESS = re.compile(
    r"\b(?:random|setseed|hash|uuid|uuidv[47]|gen_random_uuid|randomblob)\s*\(|\bSAMPLE\b", re.IGNORECASE
)
SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE)\b")
#: What nothing may be called in a log line: it would hold what a viewer did, or who they are.
PRIVATE_FIELDS = re.compile(
    r".*(?:viewer|user_id|userid|anonymous|address|\bip\b|agent|pseudonym|subject|video_id|body|payload|record|message|value|"
    r"accepted|dropped|folded|session|token|key)s?"
)
#: In the room that takes what clients send: the decoder for it, and what reads files that it wrote itself.
DECODES_JSON = {
    f"private/collect/{name}.py" for name in ("decoder", "keys", "resume", "traffic")
}  # fmt: skip
JSON_DECODERS = {"msgspec.json.Decoder", "msgspec.json.decode", "json.load", "json.loads"}
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "msg", "log"}


def insecure(tree: ast.Module) -> Iterator[str]:
    yield from (name for name in imported(tree) if INSECURE.fullmatch(name))
    yield from (name for node in ast.walk(tree) if INSECURE.fullmatch(name := dotted(node)) and "." in name)


def secure(tree: ast.Module) -> Iterator[str]:
    yield from (name for name in imported(tree) if SECURE.fullmatch(name))
    yield from (name for node in ast.walk(tree) if SECURE.fullmatch(name := dotted(node)) and "." in name)


def sql_randomness(text: str) -> list[str]:
    code = re.sub(r"--.*", "", text)
    return SQL_RANDOMNESS.findall(code) if SQL.search(code) else []


def bad_log_lines(tree: ast.Module) -> Iterator[str]:
    for name, call in calls(tree):
        room, _, level = name.rpartition(".")
        if room not in {"log", "logger", "logging", "structlog"} or level not in LEVELS:
            continue
        event = call.args[0] if call.args else None
        if level == "exception":
            yield "a traceback holds what the frames hold"
        elif not (isinstance(event, ast.Constant) and re.fullmatch(r"[a-z]+(\.[a-z_]+)+", str(event.value))):
            yield "an event name is fixed and dotted"
        elif len(call.args) > 1:
            yield "fields have names"
        for field in call.keywords:
            if field.arg is None or PRIVATE_FIELDS.fullmatch(field.arg) or field.arg == "exc_info":
                yield f"{field.arg} is no public field"
            elif isinstance(field.value, ast.Name) and field.value.id in {"error", "refused"}:
                yield "an error's text may hold what it was about: log its type"


def json_decoders(tree: ast.Module) -> list[str]:
    return [name for node in ast.walk(tree) if (name := dotted(node)) in JSON_DECODERS]


def prints(tree: ast.Module) -> list[str]:
    return [name for name, _ in calls(tree) if name in {"print", "breakpoint", "pprint"}]


def test_nothing_draws_from_an_insecure_source() -> None:
    assert [(path, name) for path, tree in sources() for name in insecure(tree)] == []


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "from random import gauss",
        "import numpy.random",
        "from numpy import random",
        "from numpy.random import default_rng",
        "x = np.random.default_rng(1)",
        "def f():\n    import random as r",
        "from scipy import stats",
    ],
)
def test_an_insecure_draw_is_seen(line: str) -> None:
    assert list(insecure(ast.parse(line)))


def test_secure_randomness_enters_in_the_named_files_alone() -> None:
    assert {path for path, tree in sources() if any(secure(tree))} == SECURE_RANDOMNESS


@pytest.mark.parametrize(
    "line",
    [
        "import secrets",
        "from os import urandom",
        "os.urandom(8)",
        "from uuid import uuid4",
        "uuid.uuid4()",
        "ssl.RAND_bytes(8)",
        "AESGCM.generate_key(128)",
    ],
)
def test_a_secure_draw_is_seen(line: str) -> None:
    assert list(secure(ast.parse(line)))


def test_no_query_draws_samples_or_hashes_by_the_engine_s_own_means() -> None:
    found = {path.name: sql_randomness(path.read_text("utf-8")) for path in SOURCES.rglob("*.sql")}
    found |= {f"{path}: {text[:40]}": sql_randomness(text) for path, tree in sources() for text in texts(tree)}
    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT random()",
        "SELECT * FROM t ORDER BY hash(viewer)",
        "SELECT * FROM t USING SAMPLE 10",
        "INSERT INTO t SELECT uuid()",
        "select 1;\nSELECT\n  RANDOM ( )",
    ],
)
def test_a_query_that_draws_is_seen(query: str) -> None:
    assert sql_randomness(query)


def test_a_comment_about_a_hash_is_no_hash() -> None:
    assert sql_randomness("-- never by hash(viewer)\nSELECT 1") == []


def test_every_log_line_is_a_fixed_name_with_public_fields() -> None:
    assert [(path, flaw) for path, tree in sources() for flaw in bad_log_lines(tree)] == []


@pytest.mark.parametrize(
    "line",
    [
        'log.info(f"event of {viewer}")',
        'log.info("events.accepted", viewer=viewer)',
        'log.info("events.accepted", user_agent=agent)',
        'log.info("events.accepted", accepted=5)',
        'log.info("event accepted")',
        'log.info("events.accepted", count)',
        'log.info("events.accepted", **fields)',
        'log.error("collect.failed", error=error)',
        'log.exception("collect.failed")',
        'log.error("collect.failed", exc_info=True)',
        'logging.info("collect %s", body)',
    ],
)
def test_a_talkative_log_line_is_seen(line: str) -> None:
    assert list(bad_log_lines(ast.parse(line)))


def test_a_log_line_as_it_should_be_is_let_through() -> None:
    assert list(bad_log_lines(ast.parse('log.error("collect.failed", error=type(error).__name__, segment=name)'))) == []


def test_what_clients_send_as_json_is_read_by_one_decoder() -> None:
    found = {path for path, tree in sources() if path.startswith("private/collect/") and json_decoders(tree)}
    assert found == DECODES_JSON


@pytest.mark.parametrize(
    "line", ["x = msgspec.json.Decoder(int)", "msgspec.json.decode(text, type=int)", "json.loads(t)"]
)
def test_another_decoder_is_seen(line: str) -> None:
    assert json_decoders(ast.parse(line))


def test_only_the_command_line_prints() -> None:
    assert {path for path, tree in sources() if prints(tree)} == {"cli/output.py"}


def test_only_the_gate_s_release_opens_an_exact_aggregate() -> None:
    opening = {path for path, tree in sources() for name, _ in calls(tree) if name.endswith(".open_in_gate")}
    reaching = {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "_Exact__columns")
        or (isinstance(node, ast.Constant) and node.value == "_Exact__columns")
    }
    assert opening == {"gate/release.py"}
    assert reaching == set()


def test_every_module_says_what_it_is() -> None:
    assert [path for path, tree in sources() if not ast.get_docstring(tree)] == []


def test_every_query_has_a_header_that_names_what_goes_in_and_comes_out() -> None:
    queries = sorted(SOURCES.rglob("*/sql/**/*.sql"))
    assert queries, "the queries are where they are looked for"
    heads = {path.name: path.read_text("utf-8").split("\n\n")[0] for path in queries}
    flawed = [
        name
        for name, head in heads.items()
        if not re.match(rf"-- {re.escape(name.removesuffix('.sql'))}\. In: .*?Out: ", head, re.DOTALL)
    ]
    assert flawed == []


def test_every_schema_has_a_header() -> None:
    schemas = [path for path in SOURCES.rglob("*.sql") if "sql" not in path.parts]
    assert schemas, "the schemas are where they are looked for"
    assert [path.name for path in schemas if not path.read_text("utf-8").startswith("-- ")] == []
