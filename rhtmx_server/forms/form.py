"""One form: which rules its fields have, and which it has as a whole.

Knows how rules are registered, and judges what needs no waiting. Must not know
how validators are run, nor requests or connections: who asks for a verdict is sent to its
app (`form_life`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import (
    Any,
    Concatenate,
    Literal,
    Self,
    TypeVar,
    Unpack,
    overload,
)

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue
from rhtmx.values.form_value import Entry, File
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.rules import Rule
from rhtmx_server.forms.entries import FieldKind, FormValues, by_field
from rhtmx_server.forms.field_names import Extra, FieldNames, check_form_name
from rhtmx_server.forms.form_life import FormLife
from rhtmx_server.forms.receipts import MOST_RULES
from rhtmx_server.forms.rule_set import (
    Cleaner,
    FileRules,
    FilesRules,
    Rules,
    Ruleset,
    TextRules,
    TextsRules,
    check_all,
    clean_all,
)
from rhtmx_server.forms.steps import Step
from rhtmx_server.forms.validators import Function, Validator
from rhtmx_server.forms.verdict import FormVerdict
from rhtmx_server.thread_bridge import ThreadBridge

__all__ = ["Form"]

F = TypeVar("F", bound=Function)
OfText = TypeVar("OfText", bound=Callable[Concatenate[str, ...], object])
OfTexts = TypeVar("OfTexts", bound=Callable[Concatenate[list[str], ...], object])
OfFile = TypeVar("OfFile", bound=Callable[Concatenate[File | None, ...], object])
OfFiles = TypeVar("OfFiles", bound=Callable[Concatenate[list[File], ...], object])

_NOTHING: Mapping[str, Sequence[Entry]] = MappingProxyType({})


class Form:
    """The rules of one form. Made by `App.form`.

    Args:
        name: as clients name it.
        extra: what becomes of names that it does not have.
        life: of the app that it belongs to; without one nothing can be judged.

    Attributes:
        names: which names it takes.
        access_rule: who may ask whether values are valid; `None` for everybody.

    Example:
        >>> signup = Form("signup")
        >>> _ = signup.field("age", required=True, ge=18)
        >>> @signup.field("email", required=True, email=True)
        ... async def email_is_free(value, form):
        ...     if value in {"ada@example.com"}:
        ...         raise Invalid("already registered")
        >>> @signup.check
        ... def passwords_agree(form):
        ...     if form["password"] != form["password2"]:
        ...         raise Invalid("passwords differ", field="password2")
    """

    def __init__(
        self, name: str, extra: Extra = "forbid", life: FormLife[Form] | None = None
    ) -> None:
        check_form_name("a form", name)
        self.name = name
        self._life = life
        self._fields: dict[str, tuple[Step, ...]] = {}
        self.names = FieldNames(name, self._fields, extra)
        self._kinds: dict[str, FieldKind] = {}
        self._checks: list[Validator] = []
        self._normalizers: dict[str, Callable[[str], str]] = {}
        self._cleaners: dict[str, Cleaner] = {}
        self.access_rule: Rule | None = None

    def access(self, *, validate: Rule) -> Self:
        """Say who may ask whether values are valid. Nobody else may.

        Args:
            validate: a rule that looks at who asks and at no field, such as `signed_in`
                or `role("clerk")`.

        Returns:
            The form.

        Raises:
            TypeError: it is no rule.
            ValueError: it looks at the fields of a record.

        Example:
            >>> from rhtmx_server.access import signed_in
            >>> _ = Form("signup").access(validate=signed_in)
        """
        where = f"form {self.name!r}: access(validate=…)"
        if not isinstance(validate, Rule):
            raise TypeError(f"{where}: a rule such as role('clerk') expected, got {validate!r}")
        if not validate.shapes <= {()}:
            raise ValueError(
                f"{where}: {validate!r} looks at the fields of a record, and a form has none: "
                "use role(…) or signed_in here, and `who` in the validators"
            )
        self.access_rule = validate
        return self

    async def validate(
        self, values: Mapping[str, Any], *, who: Grant | None = None, receipt: str | None = None
    ) -> FormVerdict:
        r"""Judge the values of the form, as a client's question is judged: by the same rules.

        For a handler that takes what a page has sent. All registered fields are judged, also
        those that are not among the values; names that the form does not have are ignored, unless
        one looks like a misspelt field. `\r\n` in a text is `\n` for the rules and in the verdict.

        Args:
            values: by field: a text, a number, a `File` or an upload, or a list of these; or the
                form of a request of Starlette, Django or Flask.
            who: who has sent it, as `authenticate` says it; then `access` decides whether they
                may. `None`: the app itself asks, which may.
            receipt: that of an earlier verdict. What it attests, and has not changed, is not run
                again. By default what the page has sent along.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, the app does not run; `FORBIDDEN`; `UNKNOWN_FORM`, a field
                is misspelt; `BAD_MESSAGE`, a value is none that a form has; `TIMEOUT` or `INTERNAL`
                of a validator.

        Example:
            >>> contact = app.form("contact", extra="ignore")
            >>> _ = contact.field("name", required=True)
            >>> verdict = await contact.validate({"name": " "})
            >>> verdict.valid, verdict.field_errors
            (False, {'name': ['is required']})
        """
        judge = self._app.judge()
        if asyncio.get_running_loop() is judge.loop:
            return await judge.verdict(self, values, who, receipt)
        return await asyncio.to_thread(self.validate_sync, values, who=who, receipt=receipt)

    def validate_sync(
        self, values: Mapping[str, Any], *, who: Grant | None = None, receipt: str | None = None
    ) -> FormVerdict:
        """Like `validate`, for code that cannot await: a view of Flask or Django, in its thread.

        The app runs in another thread of the same process.

        Raises:
            RhtmxError: as for `validate`; `NOT_SUPPORTED`, this is the thread of the app's own
                event loop.
        """
        app = self._app
        return ThreadBridge(app).call(
            lambda: app.judge().verdict(self, values, who, receipt), f"{self.name}.validate_sync"
        )

    @property
    def _app(self) -> FormLife[Form]:
        if self._life is None:
            raise RhtmxError(
                ErrorCode.SHUTTING_DOWN, "this form belongs to no app: make it by app.form()"
            )
        return self._life

    @property
    def fields(self) -> Mapping[str, Sequence[Step]]:
        """What each registered field has to pass, in order."""
        return MappingProxyType(self._fields)

    @property
    def kinds(self) -> Mapping[str, FieldKind]:
        """Of which kind each registered field is."""
        return MappingProxyType(self._kinds)

    @property
    def checks(self) -> Sequence[Validator]:
        """What the form as a whole has to pass."""
        return tuple(self._checks)

    @property
    def attested(self) -> Sequence[Validator]:
        """The rules of which a receipt says that they need not be run again, in their order."""
        return [each for each in self.validators if each.attested][:MOST_RULES]

    @property
    def validators(self) -> Sequence[Validator]:
        """All of its fields, and then its checks, in their order."""
        own = (each for steps in self._fields.values() for each in steps)
        return [each for each in (*own, *self._checks) if isinstance(each, Validator)]

    @overload
    def field(
        self,
        name: str,
        *,
        many: Literal[False] = ...,
        file: Literal[False] = ...,
        blocking: bool | None = ...,
        timeout: float | None = ...,
        reads: Sequence[str] = ...,
        **rules: Unpack[TextRules],
    ) -> Callable[[OfText], OfText]: ...

    @overload
    def field(
        self,
        name: str,
        *,
        many: Literal[True],
        file: Literal[False] = ...,
        blocking: bool | None = ...,
        timeout: float | None = ...,
        reads: Sequence[str] = ...,
        **rules: Unpack[TextsRules],
    ) -> Callable[[OfTexts], OfTexts]: ...

    @overload
    def field(
        self,
        name: str,
        *,
        many: Literal[False] = ...,
        file: Literal[True],
        blocking: bool | None = ...,
        timeout: float | None = ...,
        reads: Sequence[str] = ...,
        **rules: Unpack[FileRules],
    ) -> Callable[[OfFile], OfFile]: ...

    @overload
    def field(
        self,
        name: str,
        *,
        many: Literal[True],
        file: Literal[True],
        blocking: bool | None = ...,
        timeout: float | None = ...,
        reads: Sequence[str] = ...,
        **rules: Unpack[FilesRules],
    ) -> Callable[[OfFiles], OfFiles]: ...

    def field(
        self,
        name: str,
        *,
        many: bool = False,
        file: bool = False,
        blocking: bool | None = None,
        timeout: float | None = None,
        reads: Sequence[str] = (),
        **rules: Unpack[Rules],
    ) -> Callable[[F], F]:
        """Register rules for a field, and a validator if used as a decorator.

        A field may be registered several times. What it has to pass is checked
        in the order of registration; the first failure is the field's error.
        Each of its values has to pass the ready-made rules.

        A validator takes the value, and, if it has a parameter `form`, the
        values of the form, `FormValues`: every registered field is in there, one
        that was not sent as an empty string. Unlike the ready-made rules, it is
        asked about empty values, too. If it has a parameter `who`, it is given the
        `Grant` of whoever asks. It returns nothing or `Valid(metadata)`, of
        which the last counts, or raises `Invalid`.

        The value is a text; the last one, if there are several of the name: of a
        hidden control and a checkbox after it, what the checkbox says. With `many`
        it is a list of all texts that are not empty.

        With `file` it is a `File`, or `None` if none was chosen, and with `many`, too,
        a list of them. Its name, size and type are all that rules can see: whoever
        takes the upload checks them again, and the content.

        Args:
            name: the field's name.
            many: it may have several values, as a group of checkboxes has.
            file: files are chosen there.
            blocking: whether the decorated function must stay off the event
                loop. By default a plain function does and an `async` one not.
            timeout: its time in seconds; by default that of the server.
            reads: the entities by which the decorated function judges: when they change, it is
                asked again about forms that are open, and no receipt of before attests it. One
                that is not declared is refused when the app starts.
            rules: ready-made rules, see `Rules`.

        Raises:
            TypeError: there is no such rule, or the validator takes other arguments.
            ValueError: a rule makes no sense, or not for such a field, or the field was
                registered for something else before; with the reason.

        Example:
            >>> @app.form("signup").field("nickname", max_length=8)
            ... async def nickname_is_free(value):
            ...     if value == "ada":
            ...         raise Invalid("is taken", metadata={"hint": "ada2"})
            >>> answer = await client.validate_field("signup", "nickname", "ada")
            >>> answer.error, answer.metadata
            ('is taken', {'hint': 'ada2'})
        """
        check_form_name(f"form {self.name!r}: a field", name)
        kind = FieldKind(many, file)
        try:
            # A field of files is judged without rules, too: a text in its place is wrong.
            steps = [check_all(rules, kind)] if rules or file else []
            self._agree(name, kind)
        except (TypeError, ValueError) as reason:
            raise type(reason)(f"{self.name}.{name}: {reason}") from None
        self._add(name, *steps)
        if (cleaner := clean_all(rules, kind)) is not None:
            self._cleaners[name] = cleaner

        def register(function: F) -> F:
            validator = Validator.of_field(
                self.name,
                name,
                function,
                kind=kind,
                blocking=blocking,
                timeout=timeout,
                reads=reads,
            )
            self._add(name, validator)
            return function

        return register

    def ready_made(
        self,
        name: str,
        rules: Ruleset,
        kind: FieldKind,
        normalize: Callable[[str], str] | None = None,
        clean: Cleaner | None = None,
    ) -> None:
        """Register rules of a schema for a field; validators may be added by `field`.

        Args:
            name: the field's name.
            rules: say what is wrong with what it has.
            kind: of which kind the field is.
            normalize: makes of a text what is judged, and what validators are given.
            clean: makes the value of what was found valid.

        Raises:
            ValueError: the field was registered for something else before.
        """
        self._agree(name, kind)
        self._add(name, rules)
        if normalize is not None:
            self._normalizers[name] = normalize
        if clean is not None:
            self._cleaners[name] = clean

    def _agree(self, name: str, kind: FieldKind) -> None:
        """Refuse a field of two kinds: one of its validators would be asked about the wrong one."""
        before = self._kinds.setdefault(name, kind)
        if before != kind:
            raise ValueError(
                f"many={kind.many}, file={kind.file}: it was registered with many={before.many}, "
                f"file={before.file} before: say the same each time"
            )

    def _add(self, name: str, *steps: Step) -> None:
        # A new tuple: a validation that is under way goes on with the steps it began with.
        self._fields[name] = self._fields.get(name, ()) + steps

    @overload
    def check(self, function: F, /) -> F: ...

    @overload
    def check(
        self,
        /,
        *,
        blocking: bool | None = None,
        timeout: float | None = None,
        reads: Sequence[str] = (),
    ) -> Callable[[F], F]: ...

    def check(
        self,
        function: F | None = None,
        /,
        *,
        blocking: bool | None = None,
        timeout: float | None = None,
        reads: Sequence[str] = (),
    ) -> F | Callable[[F], F]:
        """Register a rule for the form as a whole. A decorator.

        The function takes the values of the form, and `who` as for `field`. It raises
        `Invalid`, with `field` if one field is at fault. It is asked whether or not the
        fields are valid by themselves.

        Args:
            function: the rule, if used without parentheses.
            blocking: as for `field`.
            timeout: as for `field`.
            reads: as for `field`.

        Raises:
            TypeError: the function takes other arguments.

        Example:
            >>> @app.form("signup").check
            ... def is_not_both(form):
            ...     if form["email"].startswith(form["age"]):
            ...         raise Invalid("must not begin with the age", field="email")
            >>> answer = await client.validate_form("signup", {"email": "36@x.eu", "age": "36"})
            >>> [(each.field, each.error) for each in answer.errors]
            [('email', 'must not begin with the age')]
        """

        def register(function: F) -> F:
            validator = Validator.of_form(
                self.name, function, blocking=blocking, timeout=timeout, reads=reads
            )
            self._checks.append(validator)
            return function

        return register if function is None else register(function)

    def ready_made_check(self, function: Function) -> None:
        """Register a rule of a schema for the form as a whole; it never waits.

        Args:
            function: takes the values of the form. It is run each time, as ready-made rules are.
        """
        validator = Validator.of_form(self.name, function, blocking=False, attested=False)
        self._checks.append(validator)

    def values(
        self, sent: Iterable[FormFieldValue], asked: Mapping[str, Sequence[Entry]] = _NOTHING
    ) -> FormValues:
        """Collect the values of the whole form, for rules across fields.

        Args:
            sent: what the client sent.
            asked: all that a field has, whatever was sent.
        """
        entries = by_field(self._fields, sent)
        for name in self._normalizers:
            entries[name] = self.normalized(name, entries[name])
        return FormValues({**entries, **asked})

    def cleaned(self, values: FormValues, wrong: Collection[str] = ()) -> dict[str, Any]:
        """What each registered field has, as a value of Python.

        Args:
            values: those of the form, which were judged.
            wrong: the fields that are not valid: they are left out.
        """
        found: dict[str, Any] = {}
        for name in self._fields:
            if name not in wrong:
                clean = self._cleaners.get(name) or self._kinds[name].value
                found[name] = clean(values.entries[name])
        return found

    def normalized(self, field: str, entries: list[Entry]) -> list[Entry]:
        """The entries of a field as its schema wants them.

        Args:
            field: its name.
            entries: what it has.
        """
        normalize = self._normalizers.get(field)
        if normalize is None:
            return entries
        return [normalize(each) if isinstance(each, str) else each for each in entries]
