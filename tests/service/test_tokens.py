"""What a bearer token must be, and each way in which one is not."""

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from joserfc.jwk import ECKey

from libs.service import auth
from libs.service.auth import Principal, TokenVerifier
from libs.service.problems import Problem
from tests.service.issuer import Issuer


async def verified(issuer: Issuer, token: str, *, scheme: str = "Bearer") -> Principal:
    return await TokenVerifier.from_settings(issuer.settings()).verify(f"{scheme} {token}".encode())


async def refused(issuer: Issuer, token: str, *, scheme: str = "Bearer") -> str:
    with pytest.raises(Problem) as refusal:
        await verified(issuer, token, scheme=scheme)
    assert refusal.value.status == 401
    assert "WWW-Authenticate" in refusal.value.headers
    assert not token or token[:20] not in json.dumps(refusal.value.body("en"))
    return refusal.value.code


async def test_a_good_token_says_who_asks(issuer: Issuer) -> None:
    who = await verified(issuer, issuer.token())
    assert (who.subject, who.roles, who.units) == ("officer-7", ("province-officer",), ("96@2025-06-30",))


async def test_the_scheme_is_read_without_regard_to_case(issuer: Issuer) -> None:
    assert (await verified(issuer, issuer.token(), scheme="bearer")).subject == "officer-7"


async def test_one_of_several_audiences_is_enough(issuer: Issuer) -> None:
    assert await verified(issuer, issuer.token(aud=["account", "socai"]))


async def test_a_token_without_roles_and_units_has_none(issuer: Issuer) -> None:
    who = await verified(issuer, issuer.token(roles=None, units=None))
    assert (who.roles, who.units) == ((), ())


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_an_access_token_may_say_what_it_is(issuer: Issuer, kind: str) -> None:
    assert await verified(issuer, issuer.token(header={"typ": kind}, typ="Bearer"))


FORGED: list[tuple[str, Callable[[Issuer], str], str]] = [
    ("another key", lambda i: i.token(key=i.stranger), "token-signature-wrong"),
    ("changed claims", lambda i: ".".join([*i.token().split(".")[:1], *i.token(sub="x").split(".")[1:2],
                                           i.token().split(".")[2]]), "token-signature-wrong"),
    ("no signature", lambda i: i.token().rpartition(".")[0] + ".", "token-signature-wrong"),
    ("alg none", lambda i: i.unsigned(), "token-algorithm-refused"),
    ("HS256 with the public key", lambda i: i.signed_with_public_key(), "token-algorithm-refused"),
    ("an embedded key", lambda i: i.token(key=i.stranger, header={"jwk": i.stranger.as_dict(private=False)}),
     "token-invalid"),
    ("a key's address", lambda i: i.token(header={"jku": "https://elsewhere.test"}), "token-invalid"),
    ("critical headers", lambda i: i.token(header={"crit": ["exp"], "exp": 1}), "token-invalid"),
    ("an unknown key", lambda i: i.token(header={"kid": "two"}), "token-key-unknown"),
    ("no key id", lambda i: i.token(header={"kid": 7}), "token-key-unknown"),
    ("another issuer", lambda i: i.token(iss="https://elsewhere.test"), "token-issuer-wrong"),
    ("another audience", lambda i: i.token(aud="account"), "token-audience-wrong"),
    ("an audience that is no text", lambda i: i.token(aud={"socai": 1}), "token-invalid"),
    ("expired", lambda i: i.token(exp=time.time() - 1), "token-expired"),
    ("not yet valid", lambda i: i.token(nbf=time.time() + 120), "token-not-yet-valid"),
    ("an expiry that is no number", lambda i: i.token(exp="tomorrow"), "token-invalid"),
    ("an expiry beyond numbers", lambda i: i.token(exp=10**400), "token-invalid"),
    ("no expiry", lambda i: i.token(exp=None), "token-claim-missing"),
    ("no subject", lambda i: i.token(sub=None), "token-claim-missing"),
    ("no issuer", lambda i: i.token(iss=None), "token-claim-missing"),
    ("no audience", lambda i: i.token(aud=None), "token-claim-missing"),
    ("a subject that is no text", lambda i: i.token(sub=7), "token-invalid"),
    ("a subject with a line break", lambda i: i.token(sub="a\nb"), "token-invalid"),
    ("roles that are no list", lambda i: i.token(roles="operator"), "token-invalid"),
    ("an ID token", lambda i: i.token(typ="ID"), "token-invalid"),
    ("a refresh token", lambda i: i.token(typ="Refresh"), "token-invalid"),
    ("an ID token for another audience", lambda i: i.token(typ="ID", aud="frontend"), "token-invalid"),
    ("a purpose that is no text", lambda i: i.token(typ=["Bearer"]), "token-invalid"),
    ("a header of another kind", lambda i: i.token(header={"typ": "logout+jwt"}), "token-invalid"),
    ("a header's kind that is no text", lambda i: i.token(header={"typ": 7}), "token-invalid"),
    ("too large", lambda i: i.token(units=["x" * 9000]), "token-too-large"),
    ("no token at all", lambda i: "", "token-missing"),
    ("not a token", lambda i: "hello", "token-invalid"),
    ("not base64", lambda i: "é.é.é", "token-invalid"),
    ("a header that is no object", lambda i: "W10.W10.", "token-invalid"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "code"), [case[1:] for case in FORGED], ids=[case[0] for case in FORGED])
async def test_a_wrong_token_is_refused_with_the_reason(
    issuer: Issuer, make: Callable[[Issuer], str], code: str
) -> None:
    assert await refused(issuer, make(issuer)) == code


async def test_another_scheme_is_no_token(issuer: Issuer) -> None:
    assert await refused(issuer, issuer.token(), scheme="Basic") == "token-missing"


async def test_a_verified_token_is_remembered_until_it_expires(issuer: Issuer) -> None:
    verifier = TokenVerifier.from_settings(issuer.settings())
    token = f"Bearer {issuer.token(exp=time.time() + 0.4)}".encode()
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    async with asyncio.timeout(5):
        with pytest.raises(Problem) as refusal:
            while await verifier.verify(token):  # noqa: ASYNC110 – the clock tells nobody
                await asyncio.sleep(0.02)
    assert refusal.value.code == "token-expired"


async def test_only_so_many_tokens_are_remembered(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REMEMBERED", 3)
    verifier = TokenVerifier.from_settings(issuer.settings())
    for n in range(5):
        await verifier.verify(f"Bearer {issuer.token(sub=f'officer-{n}')}".encode())
    assert len(verifier._verified) == 3


class KeyServer:
    """The issuer over HTTP: its keys and its OpenID Connect configuration, counting how often each is asked.
    `says` is what the configuration has instead of the truth.
    """

    def __init__(self, issuer: Issuer) -> None:
        served = self
        self.asked: Counter[str] = Counter()
        self.says: dict[str, object] = {}

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked[self.path] += 1
                body = issuer.jwks.read_bytes() if self.path == "/jwks" else served.configuration()
                self.send_response(200)
                self.end_headers()
                with suppress(ConnectionError):
                    # More than comes in one piece.
                    self.wfile.write(body[:-1] + b" " * 300_000 + body[-1:])

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}/realms/socai"
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/jwks"

    def configuration(self) -> bytes:
        return json.dumps({"issuer": self.issuer, "jwks_uri": self.url, **self.says}).encode()

    def __enter__(self) -> "KeyServer":
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


async def test_a_rotated_key_is_fetched_when_it_is_first_seen_but_not_at_every_whim(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "REFETCH_FLOOR", 0.3)
    with KeyServer(issuer) as server:
        verifier = TokenVerifier.from_settings(issuer.settings(socai_token_jwks=server.url))
        assert await verifier.verify(f"Bearer {issuer.token()}".encode())
        assert server.asked["/jwks"] == 1

        new = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
        issuer.publish(issuer.key, new)
        rotated = f"Bearer {issuer.token(key=new)}".encode()
        for _ in range(20):
            with pytest.raises(Problem) as refusal:
                await verifier.verify(rotated)
            assert refusal.value.code == "token-key-unknown"
        assert server.asked["/jwks"] == 1

        async with asyncio.timeout(5):
            while True:
                try:
                    who = await verifier.verify(rotated)
                    break
                except Problem:
                    await asyncio.sleep(0.02)
        assert who.subject == "officer-7"
        assert server.asked["/jwks"] == 2


async def test_a_withdrawn_key_stops_working_for_tokens_not_seen_before(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = TokenVerifier.from_settings(issuer.settings())
    await verifier.verify(f"Bearer {issuer.token()}".encode())
    issuer.publish(issuer.stranger)
    monkeypatch.setattr(auth, "KEYS_AGE", 0.0)
    monkeypatch.setattr(auth, "REFETCH_FLOOR", 0.0)
    with pytest.raises(Problem) as refusal:
        await verifier.verify(f"Bearer {issuer.token(sub='another')}".encode())
    assert refusal.value.code == "token-signature-wrong"


async def test_without_the_issuers_keys_nobody_is_blamed(issuer: Issuer) -> None:
    issuer.jwks.unlink()
    with pytest.raises(Problem) as refusal:
        await verified(issuer, issuer.token())
    assert refusal.value.code == "token-keys-unavailable"
    assert refusal.value.status == 503
    assert refusal.value.headers["Retry-After"]


def asked_of_the_issuer(issuer: Issuer, url: str) -> TokenVerifier:
    settings = issuer.settings(socai_token_issuer=url, socai_token_jwks=None)
    return TokenVerifier.from_settings(settings)


@pytest.mark.parametrize("ending", ["", "/"])
async def test_an_issuer_that_is_an_address_tells_where_its_keys_are(issuer: Issuer, ending: str) -> None:
    with KeyServer(issuer) as server:
        server.issuer += ending
        verifier = asked_of_the_issuer(issuer, server.issuer)
        who = await verifier.verify(f"Bearer {issuer.token(iss=server.issuer)}".encode())
        assert who.subject == "officer-7"
        assert server.asked == {"/realms/socai/.well-known/openid-configuration": 1, "/jwks": 1}


async def test_an_issuer_that_is_asked_may_rotate_its_keys_and_their_address(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "REFETCH_FLOOR", 0.0)
    with KeyServer(issuer) as server, KeyServer(issuer) as moved:
        verifier = asked_of_the_issuer(issuer, server.issuer)
        await verifier.verify(f"Bearer {issuer.token(iss=server.issuer)}".encode())

        new = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
        issuer.publish(new)
        server.says = {"jwks_uri": moved.url}
        await verifier.verify(f"Bearer {issuer.token(key=new, iss=server.issuer)}".encode())
        assert (server.asked["/jwks"], moved.asked["/jwks"]) == (1, 1)
        with pytest.raises(Problem) as refusal:
            await verifier.verify(f"Bearer {issuer.token(iss=server.issuer, sub='another')}".encode())
        assert refusal.value.code == "token-key-unknown"


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "http://elsewhere.test"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": __file__},
        {"jwks_uri": f"file://{__file__}"},
        {"padding": "x" * auth.LARGEST_ANSWER},
    ],
    ids=["another issuer", "no issuer", "no keys", "a path", "a file", "too much"],
)
async def test_a_configuration_that_is_not_the_issuers_own_gives_no_keys(
    issuer: Issuer, says: dict[str, object]
) -> None:
    with KeyServer(issuer) as server:
        server.says = says
        verifier = asked_of_the_issuer(issuer, server.issuer)
        for _ in range(5):
            with pytest.raises(Problem) as refusal:
                await verifier.verify(f"Bearer {issuer.token(iss=server.issuer)}".encode())
            assert (refusal.value.code, refusal.value.status) == ("token-keys-unavailable", 503)
        assert server.asked == {"/realms/socai/.well-known/openid-configuration": 1}


async def test_an_issuer_that_does_not_answer_is_not_waited_for(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with asyncio.timeout(2):
            with pytest.raises(Problem) as refusal:
                await asked_of_the_issuer(issuer, url).verify(f"Bearer {issuer.token(iss=url)}".encode())
    assert refusal.value.code == "token-keys-unavailable"
