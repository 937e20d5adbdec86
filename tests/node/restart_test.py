"""A program that never sees a refresh: its token is in an environment variable."""

from . import objects
from .place import Login, Place, lines


class Restart(Place):
    def tokens(self):
        """The token of each pod."""
        pods = self.get("pods", "-l", "app=reporter")["items"]
        names = [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        return {name: line["token"] for name in names for line in lines(self.namespace, name, "program")}

    def rolled_out(self):
        self.world.kubectl("rollout", "status", "deployment/reporter", "-n", self.namespace, "--timeout", "60s")

    def test_a_deployment_with_an_environment_variable_is_restarted_after_a_refresh(self):
        login = Login(self, "login", consumers={"restart": [{"kind": "Deployment", "name": "reporter"}]})
        self.apply(objects.deployment_with_variable("reporter", "login"))
        self.rolled_out()
        first = self.tokens()
        self.assertEqual(list(first.values()), [login.published()])
        token = login.refresh()
        self.eventually("the pod with the old token is replaced", lambda: list(self.tokens().values()) == [token])
        self.rolled_out()
        self.assertNotEqual(self.tokens().keys(), first.keys())
        self.assertEqual(len(self.get("replicasets")["items"]), 2, "it was restarted once")
