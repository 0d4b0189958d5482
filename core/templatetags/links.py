"""`{% path_to 'blog:post_share' post.pk %}`: what `{% url %}` says, cheaply (core/web/links.py)."""

from django import template

from core.web import links

register = template.Library()
register.simple_tag(links.path_to, name="path_to")
