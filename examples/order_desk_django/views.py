"""The pages of the site: plain views, which run in threads."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from examples.order_desk_django.live import app, grant_of
from examples.orders_schema import Order, Stock
from rhtmx_server.adapters.django import rhtmx_form

GOODS = ("rice", "salt", "tea")

OrderForm = rhtmx_form(app.form("order"))


@login_required
def desk(request: HttpRequest) -> HttpResponse:
    """Show the page, whose lists are the next two views."""
    return render(request, "desk.html", {"goods": GOODS, "name": request.user.get_username()})


@login_required
def orders(request: HttpRequest) -> HttpResponse:
    """List the orders that somebody may see, their own or as a clerk all of them; or order."""
    who = grant_of(request.user)
    seen = app.sync.of(Order, who=who)
    if request.method != "POST":
        listed = {"rows": seen.all(), "clerk": who.has_role("clerk")}
        return render(request, "orders.html", listed)
    ordered = OrderForm(request.POST, who=who)
    if not ordered.is_valid():
        return HttpResponse(ordered.errors.as_text(), status=422, content_type="text/plain")
    seen.create(Order(**ordered.cleaned_data))
    return render(request, "order_form.html", {"goods": GOODS})


@login_required
def stock(request: HttpRequest) -> HttpResponse:
    """List how much there is of all goods."""
    who = grant_of(request.user)
    counted = dict.fromkeys(GOODS, 0)
    counted |= {row.id: row.data.counted for row in app.sync.of(Stock, who=who).all()}
    listed = {"counted": counted.items(), "clerk": who.has_role("clerk")}
    return render(request, "stock.html", listed)
