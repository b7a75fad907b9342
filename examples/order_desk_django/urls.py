"""The addresses of the site."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from examples.order_desk_django import views

urlpatterns = [
    path("", views.desk),
    path("orders", views.orders),
    path("stock", views.stock),
    path("sign-in", LoginView.as_view(template_name="sign_in.html")),
    path("sign-out", LogoutView.as_view()),
]
