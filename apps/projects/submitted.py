"""Reading the project form: parallel lists of paths and contents, and of variables.

``path``/``content`` and ``variable-name``/``variable-value``/``variable-kind`` come in the
order of the page. A file whose path was emptied is left out: that is how one is removed.
"""

from django.http import HttpRequest, QueryDict

from agents.protocol.records import ProjectFile
from apps.core.errors import InvalidInputError
from apps.projects.actions import FilesAndVariables
from apps.projects.files import Files, tidy_files
from apps.projects.models import Project
from apps.projects.variables import Variables, merge_submitted


def read_content(request: HttpRequest, current: Variables = ()) -> FilesAndVariables:
    """Return files and variables as submitted; ``current`` has the secrets left unchanged.

    Raises :class:`InvalidInputError` for a form that no page of ours sends.
    """
    return FilesAndVariables(
        files=_read_files(request.POST), variables=_read_variables(request.POST, current)
    )


def current_content(project: Project) -> FilesAndVariables:
    """Return the draft's files if there is one, otherwise those last deployed."""
    draft = getattr(project, "draft", None)
    source = draft or project.revisions.first()
    if source is None:
        return FilesAndVariables(files=())
    return FilesAndVariables(files=source.files, variables=source.variables)


def _read_files(form: QueryDict) -> Files:
    paths, contents = form.getlist("path"), form.getlist("content")
    if len(paths) != len(contents):
        raise InvalidInputError("The form is incomplete.", hint="Reload the page.")
    pairs = zip(paths, contents, strict=True)
    deleted = form.get("delete")
    files = [
        # A form has no mode bits; what begins as a script is to be run.
        ProjectFile(path=path, content=content, executable=content.startswith("#!"))
        for index, (path, content) in enumerate(pairs)
        if path.strip() and str(index) != deleted
    ]
    if new_path := form.get("new_path", "").strip():
        files.append(ProjectFile(path=new_path, content=""))
    return tidy_files(files)


def _read_variables(form: QueryDict, current: Variables) -> Variables:
    names = [name.strip() for name in form.getlist("variable-name")]
    values = form.getlist("variable-value")
    kinds = form.getlist("variable-kind")
    if not len(names) == len(values) == len(kinds):
        raise InvalidInputError("The form is incomplete.", hint="Reload the page.")
    triples = zip(names, values, (kind == "secret" for kind in kinds), strict=True)
    return merge_submitted(triples, current)
