"""Imports point one way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    "datakit": ROOT / "datakit",
    "datakit_synth": ROOT / "synth/datakit_synth",
    "datakit_train": ROOT / "train/datakit_train",
    "datakit_fonts": ROOT / "fonts/datakit_fonts",
    "datakit_corpora": ROOT / "corpora/datakit_corpora",
}
# What binds everything together, and may import everything, inside functions.
BINDERS = {"cli", "loop", "probe", "demo"}
ANALYSES = {"audit", "badcases"}
LEAVES = {"datakit_fonts", "datakit_corpora"}
RENDERERS = {"datakit_synth", "datakit_train"}


def layer(module: str) -> str:
    """The part of the house that a module belongs to; "" if it is not ours."""
    names = module.split(".")
    if names[0] not in SOURCES:
        return ""
    if names[0] != "datakit":
        return names[0]
    second = names[1] if len(names) > 1 else ""
    return second if second in BINDERS | ANALYSES else "core"


def allowed(importer: str, imported: str, deferred: bool) -> bool:
    """Whether the layer ``importer`` may import ``imported``; ``deferred`` inside a function."""
    if importer == imported or imported in {"", "core"}:
        return True
    if importer in BINDERS:
        return imported in ANALYSES or imported in BINDERS or deferred
    if importer == "datakit_synth":
        return imported in LEAVES
    return False


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(tree: ast.AST, package: str, deferred: bool = False) -> Iterator[tuple[str, int, bool]]:
    """(module, line, inside a function) of every import that runs; ``package`` resolves relative ones."""
    for node in ast.iter_child_nodes(tree):
        if is_type_checking(node):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, deferred) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -node.level + 1 or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from datakit import audit` imports a module of another layer than datakit itself.
            yield from ((f"{base}.{alias.name}", node.lineno, deferred) for alias in node.names)
        else:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports(node, package, deferred or function)


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in SOURCES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join((package, *(part for part in parts if part != "__init__"))), path


def wrong_imports(module: str, source: str, package: str) -> list[str]:
    return [
        f"{module}:{line} imports {imported}{'' if deferred else ' at its top'}"
        for imported, line, deferred in imports(ast.parse(source), package)
        if not allowed(layer(module), layer(imported), deferred)
    ]


def test_imports_point_one_way():
    wrong, seen = [], set()
    for module, path in modules():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        wrong += wrong_imports(module, path.read_text(encoding="utf-8"), package)
        seen.add(layer(module))
    assert wrong == []
    assert {"core", "audit", "badcases", "loop", "cli", *SOURCES} - {"datakit"} <= seen


@pytest.mark.parametrize(
    ("module", "source", "right"),
    [
        ("datakit.mix.plan", "import datakit.labels", True),
        ("datakit.mix.plan", "from datakit import audit", False),
        ("datakit.mix.plan", "def f():\n    import datakit_synth", False),
        ("datakit.audit.run", "from datakit.badcases import analyse", False),
        ("datakit.audit.run", "from ..badcases import analyse", False),
        ("datakit.audit.run", "from ..labels import scan_rec", True),
        ("datakit.loop.run", "from datakit.audit import audit", True),
        ("datakit.loop.run", "from datakit_train import predict", False),
        ("datakit.loop.run", "def f():\n    from datakit_train import predict", True),
        ("datakit.loop.run", "if TYPE_CHECKING:\n    from datakit_train import predict", True),
        ("datakit_synth.run", "def f():\n    import datakit_train.engine", False),
        ("datakit_synth.run", "from datakit_fonts import find_fonts", True),
        ("datakit_train.engine", "try:\n    import datakit_synth\nexcept ImportError:\n    pass", False),
        ("datakit_train.engine", "import datakit_fonts", False),
        ("datakit_fonts.faces", "import datakit_corpora", False),
        ("datakit_fonts.faces", "import datakit.errors", True),
        ("datakit_corpora.files", "from datakit.cli import audit", False),
    ],
)
def test_the_rule_itself(module, source, right):
    assert (wrong_imports(module, source, module.rpartition(".")[0]) == []) is right
