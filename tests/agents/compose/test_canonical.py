"""Hashes, canonical forms and labels."""

import json

from agents.compose import config_hash, service_spec
from agents.compose.labels import (
    container_labels,
    endpoint_aliases,
    network_labels,
    parse_dependencies,
    volume_labels,
)
from tests.agents.compose.projects import load_text

TEXT = """
services:
  web:
    image: app
    depends_on: {db: {condition: service_started, restart: true}, cache: }
    labels: {own: x}
    volumes: [data:/d]
    networks: {default: {aliases: [www, web]}}
  db: {image: pg}
  cache: {image: redis}
volumes: {data: {labels: {own: y}}}
"""


def test_the_hash_is_the_same_whatever_the_order_and_the_form() -> None:
    other = TEXT.replace("labels: {own: x}", "labels: [own=x]").replace("[data:/d]", "['data:/d']")
    one, two = load_text(TEXT).services["web"], load_text(other).services["web"]
    assert config_hash(one) == config_hash(two)


def test_a_service_of_defaults_is_only_what_was_said() -> None:
    service = load_text(TEXT).services["db"]
    assert json.loads(service_spec(service)) == {
        "name": "db",
        "image": "pg",
        "networks": [{"name": "demo_default", "network": "default"}],
    }


def test_a_container_has_the_labels_of_docker_compose() -> None:
    project = load_text(TEXT, working_dir="/srv/demo")
    web = project.services["web"]
    assert container_labels(project, web, 1, image_id="sha256:1") == {
        "own": "x",
        "com.docker.compose.project": "demo",
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "1",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.config-hash": config_hash(web),
        "com.docker.compose.project.working_dir": "/srv/demo",
        "com.docker.compose.project.config_files": "/srv/demo/compose.yml",
        "com.docker.compose.version": "2.26.1",
        "com.docker.compose.depends_on": "cache:service_started:false,db:service_started:true",
        "com.docker.compose.image": "sha256:1",
    }


def test_networks_and_volumes_have_their_labels() -> None:
    project = load_text(TEXT)
    network = network_labels(project, project.networks["default"])
    assert network["com.docker.compose.network"] == "default"
    volume = volume_labels(project, project.volumes["data"])
    assert (volume["com.docker.compose.volume"], volume["own"]) == ("data", "y")


def test_dependencies_are_read_back_from_their_label() -> None:
    assert parse_dependencies("a:service_started:false,b:service_healthy:true") == ("a", "b")
    assert parse_dependencies("") == ()


def test_a_container_is_found_by_its_name_its_service_and_its_aliases() -> None:
    (attachment,) = load_text(TEXT).services["web"].networks
    assert endpoint_aliases(attachment, "web", "demo-web-1") == ("demo-web-1", "web", "www")
