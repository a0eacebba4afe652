"""An engine beside the chart: there before the release, its password in both regions, and brokers that hold an old one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clients.cluster.kubernetes import CallFailed
from clients.installation import LiveInstallation
from clients.logins import LoginRefused, SecretMissing
from clients.search_engine import SearchEngine
from dualregion.errors import CredentialsDemanded, DeadlineExceeded, DualRegionError, Refused
from dualregion.observed.search_engine.health import EngineHealth
from messages.observed import engines as observed
from steps import preflight
from steps.releases import clean_slate
from steps.search_engine import passwords
from tests.fakes.cluster_regions import OF_RECREATED, ApiWorld, api_world
from tests.fakes.gates.by_cluster_api import fails, waits
from tests.fakes.kubernetes import Document, FakeKubernetes
from tests.fakes.regions import RECREATED, SURVIVOR
from tests.fakes.search_engines import SecuredEngine, encoded
from tests.raising import fails_with, raises, tells


@pytest.fixture(params=[1, 0], ids=["region 1 lost", "region 0 lost"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApiWorld]:
    with api_world(request.param, "8.9", tmp_path) as made:
        yield made


def engines(here: ApiWorld) -> tuple[SecuredEngine, SecuredEngine]:
    own, empty = here.own, here.empty
    assert isinstance(own, SecuredEngine)
    assert isinstance(empty, SecuredEngine)
    return own, empty


def copies(here: ApiWorld, *passwords_by_region: str | None) -> dict[str, str]:
    """Return what the Secrets of a region hold that has these passwords, by region."""
    return {
        f"elasticsearch-es-password-region-{region}": encoded(each)
        for region, each in enumerate(passwords_by_region)
        if each is not None
    }


def of_each(here: ApiWorld, kept: str, lost: str) -> tuple[str, str]:
    return (lost, kept) if here.lost == 0 else (kept, lost)


def share(here: ApiWorld, step: str, role: str) -> dict[str, str]:
    ctx = here.ctx(step, role)
    return passwords.share(ctx, ctx.waiting(ctx.settings.procedure.steps_by_id[step]))


class TestShare:
    """Both engines' passwords in the namespace of the brokers."""

    def test_both_are_written_once(self, here: ApiWorld) -> None:
        own, empty = engines(here)
        wanted = copies(here, *of_each(here, str(own.password), str(empty.password)))
        assert share(here, "N", "member")["passwordsRenewed"].split(", ") == [*wanted]
        assert own.copies() == wanted
        assert share(here, "N", "member") == {}
        assert not any(
            encoded(str(each.password)) in line or str(each.password) in line
            for line in here.said
            for each in (own, empty)
        )

    def test_a_lost_regions_is_not_asked_for(self, here: ApiWorld) -> None:
        share(here, "N", "member")
        own, _ = engines(here)
        before = own.copies()
        here.lose()
        assert share(here, "F2", SURVIVOR) == {}
        assert own.copies() == before

    def test_the_recreated_region_is_given_both(self, here: ApiWorld) -> None:
        here.fail_over()
        here.recreates()
        own, empty = engines(here)
        share(here, "B1", RECREATED)
        assert empty.copies() == copies(here, *of_each(here, str(own.password), OF_RECREATED))

    def test_what_the_user_wrote_alike_is_left_alone(self, here: ApiWorld) -> None:
        own, empty = engines(here)
        wanted = copies(here, *of_each(here, str(own.password), str(empty.password)))
        place = f"/api/v1/namespaces/{own.namespace}/secrets"
        here.near.put(
            place,
            *(
                {"metadata": {"name": name}, "data": {"elastic": each}}
                for name, each in wanted.items()
            ),
        )
        assert share(here, "N", "member") == {}
        assert not [each for each in here.near.asked if each.startswith(f"PATCH {place}")]


class TestB2:
    """The survivor's brokers get the recreated engine's password before its exporter is enabled."""

    def test_it_is_written_and_brokers_restart_with_it_one_at_a_time(self, here: ApiWorld) -> None:
        share(here, "N", "member")
        here.joins()
        here.without_web_apps()
        evidence = here.prove("B2")
        own, _ = engines(here)
        assert own.copies()[f"elasticsearch-es-password-region-{here.lost}"] == encoded(
            OF_RECREATED
        )
        assert evidence["passwordsRenewed"] == f"elasticsearch-es-password-region-{here.lost}"
        assert here.restarts()[own.namespace] == [1, 0]
        assert here.all_faults() == []

    def test_brokers_of_the_right_configuration_that_hold_an_old_one(self, here: ApiWorld) -> None:
        share(here, "N", "member")
        here.joins()
        here.runs(here.survivor.namespace, "quiet")
        here.has_web_apps(here.survivor.namespace, running=False)
        here.brokers[here.survivor.namespace].restarts.clear()
        here.prove("B2")
        assert here.restarts()[here.survivor.namespace] == [1, 0]
        assert any(tells(each, "old-password") for each in here.said)
        here.brokers[here.survivor.namespace].restarts.clear()
        here.prove("B2")
        assert here.survivor.namespace not in here.restarts()

    def test_a_password_that_cannot_be_read(self, here: ApiWorld) -> None:
        here.joins()
        here.without_web_apps()
        secrets = f"/api/v1/namespaces/{here.recreated.namespace}/secrets"
        here.far.objects[secrets].clear()
        waits(here, "B2", "password-shared", "engine-secret-missing")
        assert here.restarts() == {}

    def test_an_engine_that_is_older_than_the_survivors(self, here: ApiWorld) -> None:
        here.joins()
        here.without_web_apps()
        here.empty.version = "8.9.9"
        fails(here, "B2", "engine-too-old", "8.18.0", kind=Refused)
        here.empty.version = "8.19.1"
        here.prove("B2")

    def test_an_engine_that_does_not_take_it(self, here: ApiWorld) -> None:
        here.joins()
        here.without_web_apps()
        engines(here)[1].password = "another"
        waits(here, "B2", "engines-can-be-copied", "engine-login-refused")


class TestB0:
    """The recreated region is clean, but for its search engine, which is ready and empty."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.fail_over()
        here.recreates()
        return here

    def test_the_engine_may_be_there(self, here: ApiWorld) -> None:
        here.prove("B0")

    def test_there_is_none(self, here: ApiWorld) -> None:
        here.far.objects.pop(f"/apis/apps/v1/namespaces/{here.recreated.namespace}/statefulsets")
        with raises("engine-not-installed", Refused, namespace=here.recreated.namespace):
            here.prove("B0")

    def test_it_is_not_ready(self, here: ApiWorld) -> None:
        sets = here.far.objects[f"/apis/apps/v1/namespaces/{here.recreated.namespace}/statefulsets"]
        sets["elasticsearch-es-masters"]["status"]["readyReplicas"] = 0
        waits(here, "B0", "engine-ready", "engine-nodes-not-ready")

    def test_it_serves_badly(self, here: ApiWorld) -> None:
        here.empty.status = "red"
        waits(here, "B0", "engine-ready", "engine-not-green")

    def test_it_is_not_empty(self, here: ApiWorld) -> None:
        here.empty.held.documents["operate-old"] = 1
        fails(here, "B0", "region-not-clean", "index/operate-old", kind=Refused)

    @pytest.fixture
    def silent(self, monkeypatch: pytest.MonkeyPatch) -> list[DualRegionError]:
        """Let the engine be ready, and answer with these errors first; without any it says what it holds."""
        errors: list[DualRegionError] = []
        health = SearchEngine.health

        def answer(engine: SearchEngine) -> EngineHealth:
            if errors:
                raise errors.pop(0)
            return health(engine)

        monkeypatch.setattr(LiveInstallation, "search_engine_pending", lambda _: None)
        monkeypatch.setattr(SearchEngine, "health", answer)
        return errors

    @pytest.mark.parametrize("kind", [CallFailed, LoginRefused, SecretMissing])
    def test_no_answer_is_not_taken_for_an_empty_engine(
        self, here: ApiWorld, silent: list[DualRegionError], kind: type[CallFailed]
    ) -> None:
        """The recreated region would begin with what is from before the loss."""
        here.empty.held.documents["operate-old"] = 1
        silent += [kind(observed.engine_not_green("red")) for _ in range(1000)]
        with raises("engine-not-green", kind):
            leftovers(here)
        waits(here, "B0", "leftovers-known", "engine-not-green")
        ctx = replace(here.ctx("B1", RECREATED), gives_up_on="leftovers-known")
        with fails_with("deadline-exceeded", "engine-not-green", kind=DeadlineExceeded):
            preflight.refuse_leftovers(ctx, ctx.topology.installations[0])

    def test_an_answer_that_is_lost_is_waited_for(
        self, here: ApiWorld, silent: list[DualRegionError]
    ) -> None:
        silent += [CallFailed(observed.engine_not_green("red")) for _ in range(2)]
        here.prove("B0")
        silent += [CallFailed(observed.engine_not_green("red"))]
        here.empty.held.documents["operate-old"] = 1
        fails(here, "B0", "region-not-clean", "index/operate-old", kind=Refused)

    def test_credentials_that_are_refused_end_it_at_once(
        self, here: ApiWorld, silent: list[DualRegionError]
    ) -> None:
        silent += [CredentialsDemanded(observed.engine_not_green("red"))]
        with raises("engine-not-green", CredentialsDemanded):
            here.prove("B0")


def leftovers(here: ApiWorld) -> list[str]:
    return clean_slate.leftovers(installation(here))


def installation(here: ApiWorld) -> LiveInstallation:
    return here.ctx("B0").peer_at(here.recreated.namespace)


class TestCleanSlate:
    """What is the engine's is no leftover; what is beside it is."""

    @pytest.fixture
    def far(self, here: ApiWorld) -> FakeKubernetes:
        here.fail_over()
        here.recreates()
        return here.far

    def test_volumes_of_the_engines_claims(self, here: ApiWorld, far: FakeKubernetes) -> None:
        claim = "elasticsearch-data-elasticsearch-es-masters-0"
        far.put(
            "/api/v1/persistentvolumes",
            volume("pv-engine", here, claim),
            volume("pv-old", here, "data-camunda-zeebe-0"),
        )
        assert leftovers(here) == ["volume/pv-old"]

    def test_a_broker_beside_it(self, here: ApiWorld, far: FakeKubernetes) -> None:
        core = f"/api/v1/namespaces/{here.recreated.namespace}"
        far.put(f"{core}/persistentvolumeclaims", {"metadata": {"name": "data-camunda-zeebe-0"}})
        assert leftovers(here) == ["claim/data-camunda-zeebe-0"]
        assert not clean_slate.is_recreated(installation(here))

    def test_the_engines_own_release(self, here: ApiWorld, far: FakeKubernetes) -> None:
        core = f"/api/v1/namespaces/{here.recreated.namespace}"
        far.put(f"{core}/secrets", record("elasticsearch"))
        assert leftovers(here) == []
        assert clean_slate.is_recreated(installation(here))
        far.put(f"{core}/secrets", record("camunda"))
        assert leftovers(here) == ["release/camunda"]


def volume(name: str, here: ApiWorld, claim: str) -> Document:
    reference = {"namespace": here.recreated.namespace, "name": claim}
    return {
        "metadata": {"name": name},
        "spec": {"claimRef": reference, "capacity": {"storage": "1Gi"}},
    }


def record(release: str) -> Document:
    labels = {"owner": "helm", "name": release}
    return {"metadata": {"name": f"sh.helm.release.v1.{release}.v1", "labels": labels}}


def test_nothing_is_installed_without_the_engine(here: ApiWorld) -> None:
    sets = f"/apis/apps/v1/namespaces/{here.survivor.namespace}/statefulsets"
    del here.near.objects[sets]["elasticsearch-es-masters"]
    with raises("engine-not-installed", Refused, version="8.9"):
        preflight.check(here.ctx("N", "member"))
