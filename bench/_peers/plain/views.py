"""The same pages as a good engineer writes them in an afternoon, and, under /tutorial/, as tutorials do."""

from django import forms
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path

from .models import Category, Comment, Picture, Post, Product, Tag


class CommentForm(forms.ModelForm):
    class Meta:
        model = Comment
        fields = ["name", "body"]


class CartForm(forms.Form):
    quantity = forms.IntegerField(min_value=1, max_value=20, initial=1)


def constant(request):
    return HttpResponse(b"x" * 20_480)


def sidebar(posts):
    return {"latest": posts[:5], "tags": Tag.objects.order_by("name")[:20]}


def post_list(request):
    posts = Post.objects.select_related("author").prefetch_related("tags").defer("body_html")
    page = Paginator(posts, 10).get_page(request.GET.get("page"))
    return render(request, "plain/post_list.html", {"page": page, **sidebar(Post.objects.only("title", "slug"))})


def post_detail(request, slug):
    post = get_object_or_404(Post.objects.select_related("author").prefetch_related("tags", "comments"), slug=slug)
    labels = [tag.pk for tag in post.tags.all()]
    like_it = Post.objects.filter(tags__in=labels, published_at__lt=post.published_at).only("title", "slug")[:4]
    return render(request, "plain/post.html", {"post": post, "like_it": like_it, "form": CommentForm()})


def product_list(request, slug=None):
    products = Product.objects.select_related("category")
    if slug:
        products = products.filter(category__slug=slug)
    page = Paginator(products, 24).get_page(request.GET.get("page"))
    return render(request, "plain/product_list.html", {"page": page, "categories": Category.objects.all()})


def product_detail(request, slug):
    product = get_object_or_404(Product.objects.select_related("category"), slug=slug)
    return render(request, "plain/product.html", {"product": product, "form": CartForm()})


def picture_list(request):
    page = Paginator(Picture.objects.select_related("owner"), 24).get_page(request.GET.get("page"))
    return render(request, "plain/picture_list.html", {"page": page})


def tutorial_post_list(request):
    page = Paginator(Post.objects.all(), 10).get_page(request.GET.get("page"))
    tags = Tag.objects.annotate(number=Count("post")).order_by("-number")[:20]
    return render(request, "plain/post_list.html", {"page": page, "latest": Post.objects.all()[:5], "tags": tags})


def tutorial_post(request, slug):
    post = get_object_or_404(Post, slug=slug)
    labels = post.tags.values_list("id", flat=True)
    like_it = Post.objects.filter(tags__in=labels).exclude(pk=post.pk).annotate(same=Count("tags"))
    context = {"post": post, "like_it": like_it.order_by("-same", "-published_at")[:4], "form": CommentForm()}
    return render(request, "plain/post.html", context)


def tutorial_product_list(request):
    page = Paginator(Product.objects.all(), 24).get_page(request.GET.get("page"))
    return render(request, "plain/product_list.html", {"page": page, "categories": Category.objects.all()})


def tutorial_product(request, slug):
    product = get_object_or_404(Product, slug=slug)
    return render(request, "plain/product.html", {"product": product, "form": CartForm()})


def tutorial_picture_list(request):
    page = Paginator(Picture.objects.all(), 24).get_page(request.GET.get("page"))
    return render(request, "plain/picture_list.html", {"page": page})


def nothing(request, **kwargs):
    return HttpResponse()


urlpatterns = [
    path("constant/", constant),
    path("blog/", post_list, name="post_list"),
    path("blog/tag/<slug:slug>/", nothing, name="tag"),
    path("blog/<slug:slug>/", post_detail, name="post"),
    path("shop/", product_list, name="product_list"),
    path("shop/in/<slug:slug>/", product_list, name="category"),
    path("shop/<slug:slug>/", product_detail, name="product"),
    path("pictures/", picture_list, name="picture_list"),
    path("pictures/<int:pk>/<slug:slug>/", nothing, name="picture"),
    path("people/<slug:username>/", nothing, name="person"),
    path("tutorial/blog/", tutorial_post_list),
    path("tutorial/blog/<slug:slug>/", tutorial_post),
    path("tutorial/shop/", tutorial_product_list),
    path("tutorial/shop/<slug:slug>/", tutorial_product),
    path("tutorial/pictures/", tutorial_picture_list),
]


def fill(rows, words, start):
    people = User.objects.bulk_create(User(username=name) for name in ("ada", "grace", "mary", "jean", "kay"))
    tags = Tag.objects.bulk_create(Tag(name=f"paper {n}", slug=f"paper-{n}") for n in range(30))
    categories = Category.objects.bulk_create(Category(name=f"Prints {n}", slug=f"prints-{n}") for n in range(8))
    posts = Post.objects.bulk_create(
        Post(title=f"Post {n}", slug=f"post-{n}", author=people[n % 5], summary=(words * 5)[:280],
             body_html=f"<p>{words * 20}</p>", published_at=start(n))
        for n in range(rows)
    )  # fmt: skip
    through = Post.tags.through
    through.objects.bulk_create(
        through(post=post, tag=tags[(n + step * 7) % 30]) for n, post in enumerate(posts) for step in range(3)
    )
    Comment.objects.bulk_create(
        Comment(post=post, name="Ann", body=words) for n, post in enumerate(posts) for _ in range(n % 3)
    )
    Product.objects.bulk_create(
        Product(category=categories[n % 8], name=f"P {n}", slug=f"p-{n}", price=9, stock=n % 9) for n in range(rows)
    )
    Picture.objects.bulk_create(
        Picture(owner=people[n % 5], title=f"I {n}", slug=f"i-{n}", thumbnail=f"images/{n}.jpg") for n in range(rows)
    )
