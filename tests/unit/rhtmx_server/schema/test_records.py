"""Facts about `rhtmx_server.schema.records`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.errors import MORE, MOST_VIOLATIONS, Violation
from rhtmx.schema import codecs
from rhtmx.schema.cel import CelError
from rhtmx.schema.declared import Entity
from rhtmx_server import Grant, Invalid
from rhtmx_server.access.grant import BACKEND
from rhtmx_server.schema.records import RecordRules
from tests.support.sample_schema import ROOT, loaded

NOW = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
ADA = Grant("ada")
SERVICE = Grant("jobs", roles={BACKEND})


class Task:
    """Stands for a generated class."""


def rules_of(*fields: _s.Field, rules: tuple[Any, ...] = (), engine: Any = None) -> RecordRules:
    table = _s.message("Task", *fields, rules=rules)
    shape = {each.name: codecs.VALUE for each in fields}
    entity: Any = Entity("tasks", Task, table, shape)
    return RecordRules(entity, lambda: NOW, lambda: "id-7", engine)


def judge(rules: RecordRules, who: Grant | None, before: Any, after: Any) -> None:
    old, new = (None if each is None else json.dumps(each).encode() for each in (before, after))
    rules.judge(who, old, new)


def refused(call: Any, *arguments: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        call(*arguments)
    return [(each.field, each.code) for each in caught.value.violations]


TITLE = _s.field("title", _s.STRING, (_s.min_len, 1), (_s.max_len, 5))
VOTES = _s.field("votes", _s.INT64, (_s.gte, 0))


def test_a_new_record_is_judged_by_all_rules() -> None:
    rules = rules_of(TITLE, VOTES)
    judge(rules, ADA, None, {"title": "a"})
    assert refused(judge, rules, ADA, None, {"votes": -1}) == [
        ("title", "string.min_len"),
        ("votes", "int64.gte"),
    ]


def test_an_old_row_is_in_nobodys_way_who_writes_something_else() -> None:
    rules = rules_of(TITLE, VOTES)
    old = {"title": "much too long", "votes": 1}
    judge(rules, ADA, old, old | {"votes": 2})
    assert refused(judge, rules, ADA, old, old | {"title": "longer still"}) == [
        ("title", "string.max_len")
    ]


def test_a_rule_is_judged_where_one_of_the_fields_that_it_reads_has_changed() -> None:
    seen: list[Any] = []

    def in_order(this: Any, now: int) -> bool:
        seen.append((this["start"], this["due"]))
        return bool(this["start"] <= this["due"])

    span = _s.cel_rule("in_order", "must not be before the start", ("due", "start"), in_order)
    rules = rules_of(
        _s.field("start", _s.INT32), _s.field("due", _s.INT32), _s.field("title", _s.STRING),
        rules=(span,),
    )  # fmt: skip
    before = {"start": 5, "due": 7, "title": "a"}
    judge(rules, ADA, before, before | {"title": "b"})
    assert seen == []
    assert refused(judge, rules, ADA, before, before | {"due": 3}) == [("", "in_order")]
    assert seen == [(5, 3)]


@pytest.mark.parametrize(
    ("old", "new", "is_judged"),
    [(1, True, True), (1, 1.0, True), ("a", "a", False), ([1], [True], True), ([1], [1], False)],
)
def test_what_has_changed_is_what_differs_in_json(old: Any, new: Any, is_judged: bool) -> None:
    never = (_s.cel_check, "never", "is never right", lambda this, now: False)
    rules = rules_of(_s.field("a", _s.VALUE, never))
    if is_judged:
        assert refused(judge, rules, ADA, {"a": old}, {"a": new}) == [("a", "never")]
    else:
        judge(rules, ADA, {"a": old}, {"a": new})


def test_each_write_is_judged_by_what_it_changes_whatever_others_have_changed() -> None:
    rules = rules_of(TITLE, VOTES, KIND)
    old = {"title": "much too long", "votes": -1, "kind": "a"}
    writes: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        ({"votes": -2}, [("votes", "int64.gte")]),
        ({"title": ""}, [("title", "string.min_len")]),
        ({"kind": "b"}, [("kind", "immutable")]),
        ({"votes": -2, "unknown": 1}, [("votes", "int64.gte")]),
        ({"title": "", "votes": -2}, [("title", "string.min_len"), ("votes", "int64.gte")]),
    ]
    for change, wrong in [*writes, *reversed(writes)]:
        assert refused(judge, rules, ADA, old, old | change) == wrong
    judge(rules, ADA, old, old | {"unknown": 1})


def test_whether_mail_reaches_an_address_is_judged_where_that_was_written() -> None:
    rules = rules_of(TITLE, _s.field("email", _s.STRING, deliverable=True))
    old = {"title": "a", "email": "ada@localhost"}
    assert refused(judge, rules, ADA, None, old) == [("email", "deliverable")]
    judge(rules, ADA, old, old | {"title": "b"})
    new = old | {"title": "", "email": "eve@localhost"}
    assert refused(judge, rules, ADA, old, new) == [
        ("title", "string.min_len"),
        ("email", "deliverable"),
    ]


def test_a_record_that_is_deleted_is_not_judged() -> None:
    judge(rules_of(TITLE), ADA, {"title": ""}, None)


def test_what_is_no_object_is_no_record() -> None:
    with pytest.raises(Invalid) as caught:
        judge(rules_of(TITLE), ADA, None, [1])
    (wrong,) = caught.value.violations
    assert (wrong.field, wrong.code, wrong.message) == ("", "type", "an object expected")


@pytest.mark.parametrize("before", [b"null", b'"text"', b"[1]"])
def test_over_what_is_no_object_all_rules_are_judged_and_nothing_is_set_that_is_the_servers(
    before: bytes,
) -> None:
    rules = rules_of(TITLE, VOTES, SEEN, KIND)
    with pytest.raises(Invalid) as caught:
        rules.judge(
            ADA, before, b'{"votes":1,"seen":2,"kind":"a"}', ("kind", "seen", "votes"), True
        )
    assert [(each.field, each.code) for each in caught.value.violations] == [
        ("title", "string.min_len"),
        ("seen", "read_only"),
        ("kind", "immutable"),
    ]


@pytest.mark.parametrize("space", [b" ", b"\n\t"])
def test_space_before_a_record_hides_nothing_of_what_has_changed(space: bytes) -> None:
    rules = rules_of(TITLE, VOTES, SEEN)
    before, after = b'{"title":"a"}', space + b'{"title":"a","votes":-1,"seen":1}'
    with pytest.raises(Invalid) as caught:
        rules.judge(ADA, before, after)
    assert [(each.field, each.code) for each in caught.value.violations] == [
        ("votes", "int64.gte"),
        ("seen", "read_only"),
    ]
    rules.judge(ADA, space + b'{"seen":1}', b'{"seen":1,"title":"a"}')


def test_what_is_written_otherwise_and_means_the_same_has_not_changed() -> None:
    rules = rules_of(TITLE, KIND)
    before, after = '{"title":"a","kind":"é"}'.encode(), rb'{"title":"b","kind":"\u00e9"}'
    rules.judge(ADA, before, after)


SCORE = _s.field("score", _s.DOUBLE, read_only=True)


@pytest.mark.parametrize(
    ("before", "after", "is_refused"),
    [
        ({"score": 5.0}, {"score": 5}, False),
        ({}, {"score": 0}, False),
        ({"score": 0.0}, {"score": None}, False),
        ({"score": 5.0}, {"score": 6}, True),
        ({"score": 5.0}, {}, True),
        ({"kind": ""}, {}, False),
        ({"kind": "a"}, {"kind": 1}, True),
        ({"kind": "a"}, {"kind": "b"}, True),
    ],
)
def test_who_writes_a_whole_record_back_may_spell_what_is_not_theirs_as_their_language_does(
    before: Any, after: Any, *, is_refused: bool
) -> None:
    rules = rules_of(SCORE, KIND, TITLE)
    before, after = before | {"title": "a"}, after | {"title": "b"}
    if is_refused:
        assert refused(judge, rules, ADA, before, after)[-1][1] in {"read_only", "immutable"}
    else:
        judge(rules, ADA, before, after)
    # Who names a field has written it.
    old, new = json.dumps(before).encode(), json.dumps(after).encode()
    with pytest.raises(Invalid):
        rules.judge(ADA, old, new, ("kind", "score"), True)
    if not is_refused:  # that a commit says what has changed names nothing
        rules.judge(ADA, old, new, ("kind", "score", "title"))


OWNER = _s.field("owner", _s.STRING, read_only=True, default=_s.Default(source="subject"))
SEEN = _s.field("seen", _s.INT32, read_only=True)
KIND = _s.field("kind", _s.STRING, immutable=True)


def test_what_only_the_server_sets_is_set_by_it_whatever_the_author_says() -> None:
    rules = rules_of(OWNER)
    assert rules.prepare(ADA, {"owner": "eve"}) == {"owner": "ada"}
    assert rules.prepare(SERVICE, {"owner": "eve"}) == {}
    assert rules.prepare(None, {"owner": "eve"}) == {}


def test_what_only_the_server_sets_and_has_no_default_is_refused_of_a_client() -> None:
    rules = rules_of(SEEN)
    assert refused(rules.prepare, ADA, {"seen": 1}) == [("seen", "read_only")]
    assert rules.prepare(ADA, {"seen": 0}) == {}  # zero is nothing, where nothing is no value
    assert rules.prepare(ADA, {}) == {}
    assert rules.prepare(SERVICE, {"seen": 1}) == {}


@pytest.mark.parametrize("trait", ["read_only", "server_only"])
@pytest.mark.parametrize(
    ("rule", "words"),
    [({"required": True}, "is required"), ({}, "must have at least 1 character")],
)
def test_a_client_is_told_that_what_is_wrong_is_not_its_to_set(
    trait: str, rule: dict[str, Any], words: str
) -> None:
    """Whatever it writes, it cannot create such a record: the program has to fill it in."""
    traits: dict[str, Any] = {trait: True, **rule}
    owner = _s.field("owner", _s.STRING, (_s.min_len, 1), **traits)
    rules = rules_of(owner, TITLE)
    with pytest.raises(Invalid) as caught:
        judge(rules, ADA, None, {})
    assert [(each.field, each.message) for each in caught.value.violations] == [
        ("owner", f"is set by the server, and {words}"),
        ("title", "must have at least 1 character"),
    ]
    with pytest.raises(Invalid) as caught:
        judge(rules, None, None, {"title": "a"})
    assert [each.message for each in caught.value.violations] == [words]


def test_only_the_server_changes_what_only_it_sets_and_nobody_what_is_written_once() -> None:
    rules = rules_of(SEEN, KIND)
    before = {"seen": 1, "kind": "a"}
    assert refused(judge, rules, ADA, before, before | {"seen": 2}) == [("seen", "read_only")]
    assert refused(judge, rules, ADA, before, {"seen": 1}) == [("kind", "immutable")]
    judge(rules, SERVICE, before, before | {"seen": 2})
    judge(rules, ADA, before, dict(before))


def test_a_default_is_there_where_the_author_says_nothing() -> None:
    rules = rules_of(
        _s.field("stage", _s.STRING, default=_s.Default(value="new")),
        _s.field("made", _s.TIMESTAMP, presence=True, default=_s.Default(source="now")),
        _s.field("number", _s.STRING, default=_s.Default(source="uuid7")),
    )
    assert rules.prepare(ADA, {}) == {
        "stage": "new",
        "made": "2026-01-01T00:00:00Z",
        "number": "id-7",
    }
    assert rules.prepare(ADA, {"stage": "old", "made": None, "number": "x"}) == {
        "made": "2026-01-01T00:00:00Z"
    }


def test_what_never_leaves_the_server_is_known_by_key_with_what_a_client_is_told() -> None:
    rules = rules_of(
        _s.field("note", _s.STRING, key="internal", server_only=True),
        _s.field("limit", _s.INT32, server_only=True, words={"server_only": "is set by sales"}),
        _s.field("title", _s.STRING),
    )
    assert rules.hidden == {
        "internal": Violation("note", "server_only", "is written by the server only"),
        "limit": Violation("limit", "server_only", "is set by sales"),
    }


VECTORS = json.loads((ROOT / "tests" / "vectors" / "typed_records.json").read_text())
TASK = RecordRules(loaded().Task.__rhtmx__, lambda: NOW, lambda: "id-7")
OF_AUTHORS = {"read_only", "immutable"}


def kept_from(before: Any, after: Any, named: list[str]) -> dict[str, str]:
    """What the server refuses since it is not for whoever writes."""
    old, new = json.dumps(before).encode(), json.dumps(after).encode()
    try:
        TASK.judge(ADA, old, new, named, bool(named))
    except Invalid as error:
        return {e.field: e.code for e in error.violations if e.code in OF_AUTHORS}
    return {}


@pytest.mark.parametrize("case", VECTORS["replaced"], ids=str)
def test_what_clients_refuse_of_a_whole_record_the_server_refuses(case: dict[str, Any]) -> None:
    assert kept_from(case["before"], case["after"], []) == case.get("refused", {})


@pytest.mark.parametrize("case", VECTORS["edits"], ids=lambda case: str(case["fields"]))
def test_what_clients_refuse_of_an_edit_the_server_refuses(case: dict[str, Any]) -> None:
    before = {"team": "red", "owner": ""}
    after = {**before, **case["fields"]}
    assert kept_from(before, after, list(case["fields"])) == case.get("refused", {})


def test_what_lost_is_judged_by_the_rules_of_its_fields_alone() -> None:
    few = _s.cel_rule("few", "are too many", ("votes", "title"), lambda this, now: False)
    rules = rules_of(TITLE, VOTES, SEEN, KIND, rules=(few,))
    rules.judge_lost(ADA, {"title": b'"a"', "votes": b"3", "other": b"[]"})
    rules.judge_lost(ADA, {"title": None, "votes": None})
    assert refused(rules.judge_lost, ADA, {"votes": b"-1", "title": b'"much too long"'}) == [
        ("title", "string.max_len"),
        ("votes", "int64.gte"),
    ]
    for lost in (b"1", None):
        assert refused(rules.judge_lost, ADA, {"seen": lost, "kind": b'"x"'}) == [
            ("seen", "read_only"),
            ("kind", "immutable"),
        ]
    for who in (SERVICE, None):
        rules.judge_lost(who, {"seen": b"1", "kind": b'"x"'})
        assert refused(rules.judge_lost, who, {"votes": b"-1"}) == [("votes", "int64.gte")]


def test_rules_know_the_time() -> None:
    past = _s.field("at", _s.TIMESTAMP, (_s.lt_now, None))
    rules = rules_of(past)
    late, early = ({"at": f"202{year}-01-01T00:00:01Z"} for year in (6, 5))
    judge(rules, ADA, None, early)
    assert refused(judge, rules, ADA, None, late) == [("at", "timestamp.lt_now")]
    rules.judge_lost(ADA, {"at": b'"2025-01-01T00:00:01Z"'})
    assert refused(rules.judge_lost, ADA, {"at": b'"2026-01-01T00:00:01Z"'}) == [
        ("at", "timestamp.lt_now")
    ]


def failing(this: Any, now: int) -> bool:
    raise CelError(f"{NOTE!r} is no number")


NOTE = "nobody-is-told"
UNTOLD = _s.field("note", _s.STRING, server_only=True)


@pytest.mark.parametrize(
    ("reads", "told"),
    [
        (("note", "votes"), "cannot be judged"),
        (("votes",), f"cannot be judged: {NOTE!r} is no number"),
    ],
)
def test_why_a_rule_fails_is_told_to_nobody_if_it_reads_what_is_hidden(
    reads: tuple[str, ...], told: str
) -> None:
    rules = rules_of(UNTOLD, VOTES, rules=(_s.cel_rule("fails", "no", reads, failing),))
    for who, words in ((ADA, told), (None, f"cannot be judged: {NOTE!r} is no number")):
        with pytest.raises(Invalid) as caught:
            judge(rules, who, None, {"note": NOTE, "votes": 1})
        assert [(each.code, each.message) for each in caught.value.violations] == [("fails", words)]


def test_other_words_about_what_is_hidden_are_told() -> None:
    over = _s.cel_rule("over", "is over the limit", ("note",), lambda this, now: False)
    rules = rules_of(UNTOLD, rules=(over,))
    with pytest.raises(Invalid) as caught:
        judge(rules, ADA, None, {})
    assert [each.message for each in caught.value.violations] == ["is over the limit"]


def test_nobody_is_the_subject_of_what_the_program_creates() -> None:
    assert rules_of(OWNER).prepare(None, {}) == {"owner": None}


FAILS = (_s.cel_check, "fails", "no", failing)
PART = _s.message("Part", _s.field("note", _s.STRING, FAILS))
REASON = f"cannot be judged: {NOTE!r} is no number"


@pytest.mark.parametrize(
    ("kind", "value", "path"),
    [
        (_s.list_of(_s.STRING, FAILS), [NOTE], "x[0]"),
        (_s.message_of(lambda: PART), {"note": NOTE}, "x.note"),
        (_s.list_of(_s.message_of(lambda: PART)), [{"note": NOTE}], "x[0].note"),
    ],
)
def test_what_is_within_a_hidden_field_is_hidden_and_no_field_of_the_same_name_elsewhere(
    kind: _s.Kind, value: Any, path: str
) -> None:
    told = []
    for hidden in (True, False):
        rules = rules_of(_s.field("x", kind, server_only=hidden), UNTOLD)
        with pytest.raises(Invalid) as caught:
            judge(rules, ADA, None, {"x": value})
        (wrong,) = caught.value.violations
        told.append((wrong.field, wrong.message))
    assert told == [(path, "cannot be judged"), (path, REASON)]


def test_the_time_that_is_filled_in_has_whole_microseconds() -> None:
    field = _s.field("at", _s.TIMESTAMP, default=_s.Default(source="now"))
    entity: Any = Entity("tasks", Task, _s.message("Task", field), {"at": codecs.TIME})
    rules = RecordRules(entity, lambda: NOW + 123_456_789, lambda: "")
    assert rules.prepare(ADA, {}) == {"at": "2026-01-01T00:00:00.123456Z"}


class Engine:
    """Finds what it is told to find, and notes what it is asked and how much of that is taken."""

    def __init__(self, *finds: Violation) -> None:
        self.finds = finds
        self.asked: list[tuple[Any, Any, Any]] = []
        self.taken = 0

    def judge(
        self,
        data: Mapping[str, Any],
        changed: Collection[str] | None = None,
        *,
        fields: Collection[str] | None = None,
    ) -> Iterator[Violation]:
        self.asked.append((data, changed, fields))
        for each in self.finds:
            self.taken += 1
            yield each


ODD = Violation("votes", "odd", "must be odd")


def test_rules_that_are_not_compiled_are_asked_about_what_was_written() -> None:
    engine = Engine()
    rules = rules_of(TITLE, VOTES, engine=engine)
    assert rules.uses_engine
    assert not rules_of(TITLE, VOTES).uses_engine
    new = {"title": "a", "votes": 2}
    judge(rules, ADA, None, new)
    judge(rules, ADA, {"title": "b", "votes": 2}, new)
    assert engine.asked == [(new, None, None), (new, {"title"}, None)]


def test_rules_that_are_not_compiled_are_asked_about_what_lost_but_not_about_the_whole() -> None:
    engine = Engine(ODD)
    rules = rules_of(TITLE, VOTES, engine=engine)
    lost = {"votes": b"2", "title": None, "other": b"1"}
    assert refused(rules.judge_lost, ADA, lost) == [("votes", "odd")]
    assert engine.asked == [({"votes": 2, "other": 1}, {"votes"}, {"votes"})]


def test_what_rules_that_are_not_compiled_find_is_told_after_the_rest_and_once() -> None:
    again = Violation("title", "string.min_len", "in other words")
    of_same_field = Violation("title", "odd", "must be odd")
    engine = Engine(again, of_same_field, ODD)
    rules = rules_of(TITLE, VOTES, _s.field("email", _s.STRING, deliverable=True), engine=engine)
    with pytest.raises(Invalid) as caught:
        judge(rules, ADA, None, {"votes": 2, "email": "ada@localhost"})
    told = caught.value.violations
    assert [(each.field, each.code) for each in told] == [
        ("title", "string.min_len"),
        ("email", "deliverable"),
        ("title", "odd"),
        ("votes", "odd"),
    ]
    assert told[0].message == "must have at least 1 character"


def many(count: int) -> list[_s.Field]:
    return [_s.field(f"f{n}", _s.STRING, (_s.min_len, 1)) for n in range(count)]


def test_rules_that_are_not_compiled_are_asked_as_long_as_what_they_find_may_be_told() -> None:
    """After as much as anybody reads it is told that there is more."""
    engine = Engine(ODD)
    for count, last in ((MOST_VIOLATIONS - 1, ODD.code), (MOST_VIOLATIONS, MORE.code)):
        told = refused(judge, rules_of(*many(count), VOTES, engine=engine), ADA, None, {})
        assert len(told) == count + 1
        assert told[-1][1] == last
    assert len(engine.asked) == 2


def test_rules_that_are_not_compiled_are_not_asked_for_more_than_anybody_reads() -> None:
    engine = Engine(ODD)
    rules = rules_of(*many(MOST_VIOLATIONS + 1), engine=engine)
    assert refused(judge, rules, ADA, None, {})[-1][1] == MORE.code
    assert engine.asked == []


def test_of_what_rules_that_are_not_compiled_find_no_more_is_taken_than_is_told() -> None:
    finds = [Violation("votes", f"c{n}", "no") for n in range(2 * MOST_VIOLATIONS)]
    engine = Engine(*finds)
    told = refused(judge, rules_of(VOTES, engine=engine), ADA, None, {})
    assert told == [(each.field, each.code) for each in [*finds[:MOST_VIOLATIONS], MORE]]
    assert engine.taken == MOST_VIOLATIONS + 1  # by one more it is seen that these are not all


def test_texts_are_normalised_where_they_were_written_and_are_not_as_they_are_kept() -> None:
    trimmed = [_s.field(name, _s.STRING, normalize=("trim",)) for name in ("a", "b", "c")]
    rules = rules_of(*trimmed, TITLE)
    assert rules.normalizes
    assert not rules_of(TITLE).normalizes
    record = {"a": " x ", "b": " y ", "c": "z", "title": " t "}
    assert rules.normalize(record, ("a", "c", "title")) == {"a": "x"}


def test_what_was_no_object_had_nothing_that_could_stay() -> None:
    """Of a record that was written as a whole nobody says what they have changed."""
    rules = rules_of(TITLE, KIND)
    for before in (b"[1]", b"null"):
        with pytest.raises(Invalid, match="cannot be changed"):
            rules.judge(ADA, before, b'{"title":"a","kind":"b"}')
