from django.db.models import F, Value
from django.db.models.expressions import RawSQL
from django.db.models.expressions import RawSQL as Raw
from django.views.generic import ListView

from blog.models import Author, Entry

ENTRY_TABLE = "blog_entry"


def by_author(request):
    name = request.GET["author"]
    # ruleid: django-raw-sql
    return Entry.objects.raw(f"SELECT * FROM blog_entry WHERE author = '{name}'")


def by_author_safely(request):
    # ok: django-raw-sql
    return Entry.objects.raw(f"SELECT * FROM {ENTRY_TABLE} WHERE author = %s", [request.GET["author"]])


class EntryList(ListView):
    def get_queryset(self):
        query = "SELECT * FROM blog_entry WHERE title LIKE '%" + self.request.GET["q"] + "%'"
        # ruleid: django-raw-sql
        return Entry.objects.using("replica").raw(query)

    def with_score(self, kind):
        return Entry.objects.annotate(
            score=RawSQL(
                # ruleid: django-raw-sql
                "SELECT score FROM ranks WHERE kind = '%s'" % kind,
                [],
            )
        )

    def with_score_safely(self, kind):
        # ok: django-raw-sql
        return Entry.objects.annotate(score=RawSQL("SELECT score FROM ranks WHERE kind = %s", [kind]))

    def newest(self, field):
        # ruleid: django-raw-sql
        return Author.objects.order_by(Raw("lower({})".format(field), ()))


def narrowed(title, kind):
    # ruleid: django-raw-sql
    entries = Entry.objects.filter(public=True).extra(where=["title = '%s'" % title])
    # ruleid: django-raw-sql
    return entries.extra(select={"same": f"kind = '{kind}'"})


def narrowed_safely(title):
    # ok: django-raw-sql
    return Entry.objects.extra(where=["title = %s"], params=[title])


def limited(count):
    # ok: django-raw-sql
    return Entry.objects.raw(f"SELECT * FROM blog_entry LIMIT {int(count)}")


def namesakes(client, page, item):
    # ok: django-raw-sql
    client.raw(f"/v1/pages/{page}")
    # ok: django-raw-sql
    client.extra(payload=f"{item}")
    # ok: django-raw-sql
    return Entry.objects.annotate(label=Value(f"{item}"), n=F("count"))
