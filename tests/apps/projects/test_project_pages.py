"""The pages of projects, and who sees what on them."""

import pytest

from apps.projects.models import Project
from apps.services.observation import observe_container
from tests.observed import make_project, make_record, run_project


@pytest.fixture
def project(cast):
    return make_project(cast.host, "shop")


PAGES = ("", "files/", "deployments/", "logs/", "head/")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("person", ["owner", "member", "viewer"])
def test_the_team_sees_every_page(cast, project, page, person):
    answer = cast.client(getattr(cast, person)).get(f"/projects/{project.uid}/{page}")
    assert answer.status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_finds_none(cast, project, page):
    answer = cast.client(cast.stranger).get(f"/projects/{project.uid}/{page}")
    assert answer.status_code == 404


@pytest.mark.parametrize("page", ["/", "/projects/", "/projects/new/"])
def test_who_is_not_signed_in_is_sent_to_sign_in(client, db, page):
    assert client.get(page).status_code == 302


def test_services_are_shown_with_their_containers_and_ports(cast, project):
    run_project(project)
    page = cast.client(cast.viewer).get(f"/projects/{project.uid}/").text
    assert "shop-web-1" in page
    assert "shop-clock-1" in page
    assert 'href="http://testserver:18080/"' in page


def test_a_viewer_has_no_buttons(cast, project):
    run_project(project)
    page = cast.client(cast.viewer).get(f"/projects/{project.uid}/").text
    assert "/act/" not in page
    assert "Remove the project" not in page


def test_the_fragment_is_part_of_the_page(cast, project):
    run_project(project)
    client = cast.client(cast.member)
    fragment = client.get(f"/projects/{project.uid}/", headers={"HX-Request": "true"}).text
    assert "<html" not in fragment
    assert "shop-web-1" in fragment


def test_an_error_of_a_container_is_shown_and_escaped(cast, project):
    record = make_record("shop", "web", state="exited", exit_code=127, error="no <such> program")
    observe_container(cast.host, record, 1.0)
    page = cast.client(cast.viewer).get(f"/projects/{project.uid}/").text
    assert "no &lt;such&gt; program" in page
    assert "Exited (127)" in page


def test_a_host_that_is_away_is_said_so(cast, project):
    run_project(project)
    type(cast.host).objects.update(state="offline")
    page = cast.client(cast.viewer).get(f"/projects/{project.uid}/").text
    assert "The host is offline" in page


def test_the_list_has_only_the_teams_projects(cast, project):
    assert "shop" in cast.client(cast.viewer).get("/projects/").text
    assert "shop" not in cast.client(cast.stranger).get("/projects/").text


def test_a_member_makes_a_project_from_a_starter(cast):
    form = {"name": "blog", "host": cast.host.pk, "starter": "built", "pasted": ""}
    answer = cast.client(cast.member).post("/projects/new/", form)
    project = Project.objects.get(name="blog")
    assert answer["Location"] == f"/projects/{project.uid}/files/"
    assert "web/Dockerfile" in [file.path for file in project.draft.files]


def test_a_pasted_file_is_taken_instead(cast):
    form = {"name": "blog", "host": cast.host.pk, "starter": "built", "pasted": "services:\r\n  a:"}
    cast.client(cast.member).post("/projects/new/", form)
    (file,) = Project.objects.get(name="blog").draft.files
    assert (file.path, file.content) == ("compose.yml", "services:\n  a:")


@pytest.mark.parametrize("name", ["Blog", "a b", "", "x" * 64, "-a"])
def test_a_bad_name_is_refused_in_the_form(cast, name):
    form = {"name": name, "host": cast.host.pk, "starter": "blank"}
    answer = cast.client(cast.member).post("/projects/new/", form)
    assert answer.status_code == 422
    assert not Project.objects.exists()


def test_a_taken_name_is_refused_in_the_form(cast, project):
    form = {"name": "shop", "host": cast.host.pk, "starter": "blank"}
    answer = cast.client(cast.member).post("/projects/new/", form)
    assert "has a project named shop" in answer.text


@pytest.mark.parametrize(("person", "status"), [("viewer", 403), ("stranger", 422)])
def test_nobody_else_can_use_the_teams_host(cast, person, status):
    form = {"name": "blog", "host": cast.host.pk, "starter": "blank"}
    answer = cast.client(getattr(cast, person)).post("/projects/new/", form)
    assert answer.status_code == status
    assert not Project.objects.exists()


def test_the_dashboard_puts_trouble_first(cast, project):
    run_project(make_project(cast.host, "fine"))
    run_project(project, state="exited", exit_code=1)
    page = cast.client(cast.viewer).get("/").text
    assert "A project needs attention" in page
    assert page.index(">shop<") < page.index(">fine<")


@pytest.mark.parametrize(("person", "offered"), [("member", True), ("viewer", False)])
def test_the_dashboard_offers_only_what_the_person_may_do(cast, person, offered):
    client = cast.client(getattr(cast, person))
    assert ("New project" in client.get("/").text) is offered
    cast.host.delete()
    assert ("Add a host" in client.get("/").text) is offered


def test_an_empty_panel_says_what_to_do(cast):
    cast.host.delete()
    page = cast.client(cast.owner).get("/").text
    assert "There is no host yet" in page


@pytest.mark.parametrize("page", ["/", "/projects/"])
def test_more_projects_cost_no_more_queries(cast, page, django_assert_max_num_queries):
    client = cast.client(cast.viewer)
    for number in range(12):
        run_project(make_project(cast.host, f"p{number}"))
    with django_assert_max_num_queries(16):
        client.get(page)


def test_more_containers_cost_no_more_queries(cast, project, django_assert_max_num_queries):
    client = cast.client(cast.viewer)
    for number in range(20):
        observe_container(cast.host, make_record("shop", f"s{number}"), 1.0)
    with django_assert_max_num_queries(16):
        client.get(f"/projects/{project.uid}/")
