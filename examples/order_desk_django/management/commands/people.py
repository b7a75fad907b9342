"""`python -m django people`: the people of the example, who have one password."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Makes ada and bob, and the clerks cleo and dan."""

    def handle(self, **_: object) -> None:
        """Make those who are not there yet."""
        password = make_password("order desk")
        clerks, _ = Group.objects.get_or_create(name="clerk")
        for name in ("ada", "bob", "cleo", "dan"):
            user, _ = User.objects.get_or_create(username=name, defaults={"password": password})
            if name in ("cleo", "dan"):
                user.groups.add(clerks)
