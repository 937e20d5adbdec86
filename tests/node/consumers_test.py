"""How soon a pod that mounts the target has a new token, and how many of its calls fail until then. django-oauth-toolkit ends the
old token at each refresh, before its response leaves."""

from concurrent.futures import ThreadPoolExecutor

from . import objects
from .audit import writes
from .figures import note, percentile, spread
from .place import Login, Place, lines
from .world import SECONDS

REFRESHES = 60
# A kubelet synchronizes each pod within 90 s.
SYNCHRONIZED = 150
# Both read the file for each call.
CALLERS = {"never-repeats": "0s", "repeats-once": "1s"}
WITHOUT = ["without", "without-1", "without-2", "without-3", "without-4"]


class Consumers(Place):
    """Two credentials: one with refreshMountedPods, and one without. Each is mounted by a pod of the same name, and the second one by
    some more, because each observation of it takes a minute."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.logins = {"with": Login(cls, "with"), "without": Login(cls, "without", consumers={"refreshMountedPods": False})}
        url = cls.world.django["resource_url"]
        callers = {name: objects.call(url, patience) for name, patience in CALLERS.items()}
        callers_of = {"with": callers, "without": callers}
        for pod in ["with", *WITHOUT]:
            containers = {"watch": objects.watch()} | callers_of.get(pod, {})
            cls.apply(objects.pod(pod, pod.split("-")[0], **containers))
            for container in containers:
                cls.eventually(f"{container} runs in {pod}", lambda: lines(cls.namespace, pod, container))
        cls.refresh_both()

    @classmethod
    def refresh_both(cls):
        """A refresh of `without` takes until all its pods were synchronized, so the others are made meanwhile. Its pods have just
        started, which makes this the longest possible wait: the kubelet synchronizes them next in 60 to 90 s."""
        with ThreadPoolExecutor() as beside:
            without = beside.submit(cls.refreshed, "without", WITHOUT, SYNCHRONIZED)
            refreshed = [cls.refreshed_and_used() for _ in range(REFRESHES)]
        cls.tokens = {"with": refreshed, "without": [without.result()]}

    @classmethod
    def refreshed(cls, name, pods, seconds):
        """Refreshes, and waits until all these pods have the new token."""
        before = cls.first_seen(pods[0]).keys()
        cls.logins[name].request()
        for pod in pods:
            cls.eventually(f"{pod} has a new token", lambda: cls.first_seen(pod).keys() - before, seconds)
        (token,) = cls.first_seen(pods[0]).keys() - before
        return token

    @classmethod
    def refreshed_and_used(cls):
        """Refreshes, and waits until each caller has called with the new token: one that waits must not meet the next refresh."""
        token = cls.refreshed("with", ["with"], SECONDS)
        for caller in CALLERS:
            used = (token, 200)
            cls.eventually(f"{caller} uses {token}", lambda: used in cls.last_call("with", caller))
        return token

    @classmethod
    def last_call(cls, pod, caller):
        return [(line["token"], line.get("status")) for line in lines(cls.namespace, pod, caller)[-1:]]

    @classmethod
    def first_seen(cls, pod):
        """When a pod had each token."""
        return {line["token"]: line["time"] for line in lines(cls.namespace, pod, "watch")}

    def delays(self, name, pods):
        """The times from the API server's response to the write of the target until a pod has the token in its file."""
        tokens, written = self.tokens[name], writes(self.world, self.namespace, f"{name}-token")
        self.assertEqual(len(written), 1 + len(tokens), "the target was written once at first, and once for each refresh")
        seen = [self.first_seen(pod) for pod in pods]
        delays = [found[token] - time for time, token in zip(written[1:], tokens) for found in seen]
        note(f"{name} refreshMountedPods, from the write of the target to the file, {len(delays)} times: {spread(delays)}")
        return delays

    def failed(self, name, caller):
        """The calls whose response was not 200 in the end."""
        calls = lines(self.namespace, name, caller)
        failed = [line for line in calls if line.get("status") != 200]
        refreshes = len(self.tokens[name])
        note(f"{name} refreshMountedPods, {refreshes} refreshes: {len(failed)} of {len(calls)} calls fail if the caller {caller}")
        self.assertEqual({line.get("status") for line in failed} - {401}, set(), "each of them was made with the old token")
        return failed

    def test_a_mounted_token_is_new_within_a_second(self):
        self.assertLessEqual(percentile(self.delays("with", ["with"]), 99), 1)

    def test_a_mounted_token_is_old_until_the_kubelet_synchronizes_the_pod(self):
        self.assertGreater(percentile(self.delays("without", WITHOUT), 50), 2)

    def test_a_caller_that_repeats_a_call_once_loses_none(self):
        self.assertEqual(self.failed("with", "repeats-once"), [])

    def test_a_caller_that_never_repeats_loses_less_than_a_second_of_calls(self):
        self.assertLess(len(self.failed("with", "never-repeats")), REFRESHES * 10)

    def test_a_caller_loses_calls_until_the_kubelet_synchronizes_the_pod(self):
        for caller in CALLERS:
            self.assertNotEqual(self.failed("without", caller), [])
