from celery import shared_task

from . import index


@shared_task
def learn_due_words() -> int:
    """Let the vocabulary know the words of documents whose hour has come; safe to repeat."""
    return index.learn_due()
