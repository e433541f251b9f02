"""A second verifier, to read and to run: python verify_figures.py EVIDENCE.json KEY. Needs `cryptography` alone.

It shares no code with Footlights. It proves every row of the board that the evidence holds, those of live sessions
too, and works out again, from these rows, the counts of each video in it: value, low and high. `footlights verify` does
so for every kind of figure.
"""

import base64
import datetime
import hashlib
import json
import math
import struct
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

COUNTERS = "reach replays watch_steps full_views share_count favorites_count new_followers".split()
DISCLOSED = ["like_count", "comment_count"]
HOUR, DAY = 3600, 86_400
MILESTONES = [6 * HOUR, DAY, 3 * DAY, 7 * DAY, 28 * DAY]
MINUTES = [60 * n for n in range(1, 1441)] + [HOUR * n for n in range(25, 721)] + [DAY * n for n in range(31, 731)]
Z95 = 1.959963984540054


def require(true, what):
    if not true:
        sys.exit(f"not proved: {what}")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(value):  # RFC 8785, of what statements are made of
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def log_root(leaf, index, size, path):  # RFC 9162, section 2.1.3.2
    last = size - 1
    for beside in path:
        require(last > 0, "the path is too long")
        if index & 1 or index == last:
            leaf = sha(b"\1", beside, leaf)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            leaf = sha(b"\1", leaf, beside)
        index, last = index >> 1, last >> 1
    require(last == 0, "the path is too short")
    return leaf


def minute_root(leaf, place, path):  # a row's place says which way to turn: no other row can be at it
    require(len(path) <= 128, "the path is too long")
    for depth in range(len(path), 0, -1):
        right = int.from_bytes(place, "big") >> 128 - depth & 1
        leaf = sha(b"\1", path[depth - 1], leaf) if right else sha(b"\1", leaf, path[depth - 1])
    return leaf


def signed_log(evidence, key):
    """The size and the root that the operator signed (C2SP signed-note), following endorsements from their key."""
    name, _, coded = key.split("+", 2)
    public = base64.b64decode(coded)[1:]
    later = [k["public"] for k in evidence["keys"]]
    for each in evidence["keys"][later.index(public.hex()) + 1 :] if public.hex() in later else []:
        text = f"footlights log key\n{name}\n{each['public']}\n".encode()
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(each["endorsement"]), text)
        public = bytes.fromhex(each["public"])
    body, _, tail = evidence["checkpoint"].partition("\n\n")
    origin, size, root = body.split("\n")
    name += "/live" if evidence.get("live") else ""  # live sessions have a log of their own, by the same keys
    require(origin == name or origin.startswith(f"{name}/restored-"), "the log is another than the key's")
    signature = base64.b64decode(tail.splitlines()[0].rpartition(" ")[2])[4:]
    Ed25519PublicKey.from_public_bytes(public).verify(signature, f"{body}\n".encode())
    return int(size), base64.b64decode(root)


def moment(stream, tick):
    """When a tick is: live by seconds; by the hour, by a video's age, or the days of a channel's season, in weeks."""
    if stream["family"] == "live_questions":
        require(tick == stream["question"]["number"], "the result is of another question")
        return stream["begins_at"] + 2 * stream["question"]["closed_tick"]
    if stream["family"] in ("live", "live_audience"):
        require(tick > 0 and stream["question"] is None, "there is no such tick")
        return stream["begins_at"] + (2 if stream["family"] == "live" else 60) * tick
    if stream["family"] == "followers":
        return tick * HOUR
    if stream["season"] == 0:
        return stream["begins_at"] + (MINUTES if stream["family"] == "counters" else MILESTONES)[tick - 1]
    first = datetime.date(stream["season"] // 12, stream["season"] % 12 + 1, 1)
    days = ((first + datetime.timedelta(31)).replace(day=1) - first).days
    return stream["begins_at"] + DAY * (
        tick if stream["family"] == "channel" else min(7 * tick, days) if tick < 5 else days
    )


def proved_rows(evidence, key):
    """Every row, as (stream, tick, numbers, plan, noise) once it is proved. Raises where one is not."""
    size, root = signed_log(evidence, key)
    hashes = [base64.b64decode(each) for each in evidence["hashes"]]
    streams = evidence["live"]["streams"] if evidence.get("live") else evidence["streams"]
    kind = b"footlights live stream\n" if evidence.get("live") else b"footlights stream\n"
    plans = {sha(b"footlights plan\n", canonical(plan)).hex(): plan for plan in evidence["plans"]}
    for row in evidence["rows"]:
        stream, tick, packed = streams[row["stream"]], row["tick"], base64.b64decode(row["row"])
        at = moment(stream, tick)
        number = f" {stream['question']['number']}" if stream.get("question") else ""
        place = sha(sha(f"{stream['family']} {stream['id']}{number}".encode()), at.to_bytes(8, "big"))[:16]
        statement = sha(kind, canonical(stream))
        salt, path = bytes.fromhex(row["salt"]), [hashes[n] for n in row["in_minute"]]
        require(len(salt) == 16, "the salt is cut")
        top = minute_root(sha(b"\0", place, salt, statement, tick.to_bytes(8, "big"), packed), place, path)
        leaf = sha(b"\0", top, bytes.fromhex(row["policies"]))
        found = log_root(leaf, -(-at // 60), size, [hashes[n] for n in row["in_log"]])
        require(found == root, f"{stream['family']} of {stream['id']} at {at} is not what was published")
        plan = plans[stream["plan"]]
        yield stream, tick, packed, plan, noise(evidence, hashes, plan, tick - stream["first_tick"])


def noise(evidence, hashes, plan, step):
    """What the noise of a number is multiplied with at a step: the length of a row of the plan's matrix."""
    stands_for = plan["matrices"].get(json.loads(plan["detail"]).get("error_rows"))
    matrix = evidence["matrices"].get(stands_for)
    if matrix is None or str(step) not in matrix["rows"]:
        return None
    row = matrix["rows"][str(step)]
    values = base64.b64decode(row["values"])
    top = log_root(sha(b"\0", values), step, matrix["size"], [hashes[n] for n in row["path"]])
    require(sha(matrix["size"].to_bytes(8, "big"), top).hex() == stands_for, "a plan's matrix was changed")
    return math.sqrt(sum(x * x for x in struct.unpack(f"<{len(values) // 4}f", values)))


def worked_out(name, tick, numbers, sigmas, length):
    """What a count of a video is by its row: y of the seven counters, their estimates, then likes and comments."""
    if name in DISCLOSED:
        value = max(0, numbers[14 + DISCLOSED.index(name)])
        return {"value": value, "low": value, "high": value, "tick": tick}
    terms = [0, 1] if name == "view_count" else [COUNTERS.index(name)]
    value = sum(numbers[7 + n] for n in terms)
    half = Z95 * length * math.sqrt(sum(sigmas[n] ** 2 for n in terms))
    low, high = math.floor(max(0, value - half)), math.ceil(max(0, value + half))
    return {"value": max(0, value), "low": low, "high": high, "tick": tick}


def main(evidence, key):
    newest = {}  # by video: its newest row
    for stream, tick, packed, plan, length in proved_rows(evidence, key):
        if stream["family"] == "counters" and length is not None and tick > newest.get(stream["id"], (0,))[0]:
            newest[stream["id"]] = tick, struct.unpack("<16q", packed), json.loads(plan["detail"])["sigmas"], length
    checked, wrong = 0, 0
    for asked in evidence["asked"]:
        figures = asked["answer"].get("figures", {}) if asked["endpoint"] == "/api/v1/videos/{video}" else {}
        # Watch time and rates need the policy, too: `footlights verify` works them out.
        for name in {*COUNTERS, *DISCLOSED, "view_count"} & set(figures):
            if figures[name]["value"] is not None:
                right = worked_out(name, *newest[asked["video"]])
                says = {field: figures[name][field] for field in right}
                checked, wrong = checked + 1, wrong + (says != right)
                if says != right:
                    print(f"{asked['video']} {name}: says {says}, published was {right}")
    print(f"{len(evidence['rows'])} rows proved, {checked} figures worked out again, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2]))
