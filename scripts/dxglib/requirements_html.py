# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of `dxg requirements --html`: one file, nothing loaded."""

from html import escape

_STYLE = """
body { font: 14px sans-serif; margin: 2em; max-width: 80em }
table { border-collapse: collapse; margin: 1em 0 }
td, th { border: 1px solid #bbb; padding: 2px 6px; text-align: left;
         vertical-align: top }
.pass { background: #cfc } .fail, .missing { background: #fbb }
.skip, .explained { background: #ffd } .text { color: #555 }
"""


def _state(requirement):
    state = requirement.state
    return f'<td class="{state.replace(" ", "-")}">{state}</td>'


def page(spec, counts, names):
    """The whole page; names is requirements.names()."""
    rows = []
    for one in spec.requirements.values():
        said = "<br>".join(f"{escape(program)}: {result}"
                           for program, result in one.tests.items())
        rows.append(f'<tr id="{one.name}"><td>{one.name}</td>{_state(one)}'
                    f"<td>{said or escape(one.reason)}</td>"
                    f'<td class="text">{escape(one.text)}</td></tr>')
    seeds = []
    for file, statement, ids in spec.seeds:
        cells = []
        for name in names(ids, spec.requirements):
            one = spec.requirements.get(name)
            cells.append(f'<a href="#{name}">{name}</a> {one.state}'
                         if one else f"{name} decision")
        seeds.append(f"<tr><td>{escape(file)}</td><td>{escape(statement)}</td>"
                     f"<td>{'<br>'.join(cells)}</td></tr>")
    return (f'<!doctype html><html lang="en"><meta charset="utf-8">'
            f"<title>dxgpu: requirements</title><style>{_STYLE}</style>"
            f"<h1>Requirements and their tests</h1><p>{escape(counts)}</p>"
            "<table><tr><th>Id<th>Last result<th>Tests, or why none<th>Text"
            f"</tr>{''.join(rows)}</table><h1>Seed statements</h1>"
            "<table><tr><th>File<th>Statement<th>Requirements</tr>"
            f"{''.join(seeds)}</table></html>\n")
