/** The document's text, with completion and findings at their places. Loaded when it is first shown. */

import { autocompletion, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Annotation, EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useImperativeHandle, useRef, type RefObject } from "react";
import { useSession } from "../../api/current";
import * as complete from "../../lib/policy/completion";
import { readPolicy } from "../../lib/policy/document";
import type { Finding } from "../../lib/policy/fixes";
import { strings } from "../../strings";

export interface EditorHandle {
  /** Selects characters of the text and shows them. */
  select(from: number, to: number): void;
  /** Where the cursor is. */
  cursor(): number | undefined;
}

interface Props {
  handle: RefObject<EditorHandle | null>;
  value: string;
  onChange: (value: string) => void;
  findings: readonly Finding[];
  existingArns: readonly string[];
  readOnly: boolean;
}

const SEVERITIES = { ERROR: "error", SECURITY_WARNING: "error", WARNING: "warning", SUGGESTION: "info" } as const;

/** Marks a change that the owner of the document made. */
const fromOutside = Annotation.define<boolean>();

/** Read on both themes' backgrounds: the page's colour scheme chooses. */
const colours = HighlightStyle.define([
  { tag: tags.string, color: "light-dark(#a31515, #ff9d8a)" },
  { tag: tags.number, color: "light-dark(#0b6e4f, #7fd8b4)" },
  { tag: [tags.bool, tags.null], color: "light-dark(#2a1fa5, #b3adff)" },
  { tag: tags.invalid, textDecoration: "underline wavy" },
]);

const theme = EditorView.theme({
  "&": { border: "1px solid currentColor", borderRadius: "8px", fontSize: "13px" },
  ".cm-scroller": { minHeight: "16rem", maxHeight: "36rem", overflow: "auto" },
  ".cm-gutters": { background: "transparent", color: "inherit" },
});

async function options(context: CompletionContext, names: complete.Names, arns: readonly string[]): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const place = complete.placeAt(text, context.pos);
  const word = context.matchBefore(/[\w:./*${}@+-]*/);
  if (place === undefined || word === null || (word.from === word.to && !context.explicit)) return null;
  const tables = await complete.loadTables();
  const used = readPolicy(text).statements?.flatMap((statement) => statement.actions) ?? [];
  const offers: Record<complete.Place, () => complete.Suggestion[]> = {
    action: () => complete.actions(tables, word.text),
    resource: () => complete.resources(tables, used, arns, names),
    conditionKey: () => complete.conditionKeys(tables, used),
    operator: complete.operators,
    effect: complete.effects,
    principal: () => arns.map((arn) => ({ text: arn })),
    member: complete.members,
  };
  const found = offers[place]();
  return { from: word.from, options: found.map(({ text: label, detail }) => ({ label, ...(detail === undefined ? {} : { detail }) })) };
}

export default function JsonEditor({ handle, value, onChange, findings, existingArns, readOnly }: Props) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const { partition, region, account } = useSession();
  // The editor is made once; what it calls changes.
  const current = useRef({ onChange, existingArns, names: { partition, region, account } });
  useEffect(() => {
    current.current = { onChange, existingArns, names: { partition, region, account } };
  });
  useEffect(() => {
    if (parent.current === null) return undefined;
    const made = new EditorView({
      parent: parent.current,
      doc: "",
      extensions: [
        lineNumbers(),
        history(),
        bracketMatching(),
        indentOnInput(),
        json(),
        syntaxHighlighting(colours),
        lintGutter(),
        autocompletion({ override: [(context) => options(context, current.current.names, current.current.existingArns)] }),
        // Tab moves on, as everywhere on the page.
        keymap.of([...defaultKeymap, ...historyKeymap, ...completionKeymap]),
        EditorState.readOnly.of(readOnly),
        // A long document scrolls: the keyboard reaches it by its text.
        EditorView.contentAttributes.of({ "aria-label": strings.policyEditor.json, tabindex: "0" }),
        EditorView.lineWrapping,
        EditorView.updateListener.of((update) => {
          const isTyped = update.transactions.some((transaction) => transaction.annotation(fromOutside) !== true);
          if (update.docChanged && isTyped) current.current.onChange(update.state.doc.toString());
        }),
        theme,
      ],
    });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [readOnly]);
  useEffect(() => {
    const editor = view.current;
    const text = editor?.state.doc.toString();
    if (editor === null || text === value) return;
    editor.dispatch({
      changes: { from: 0, to: editor.state.doc.length, insert: value },
      annotations: fromOutside.of(true),
    });
  }, [value, readOnly]);
  useEffect(() => {
    const editor = view.current;
    if (editor === null) return;
    const end = editor.state.doc.length;
    const marks = findings.map(({ from, to, level, details }): Diagnostic => ({
      from: Math.min(from, end),
      to: Math.min(to, end),
      severity: SEVERITIES[level],
      message: details,
    }));
    editor.dispatch(setDiagnostics(editor.state, marks));
  }, [findings, value]);
  useImperativeHandle(handle, () => ({
    select(from, to) {
      const editor = view.current;
      if (editor === null) return;
      const end = editor.state.doc.length;
      editor.dispatch({
        selection: { anchor: Math.min(from, end), head: Math.min(to, end) },
        scrollIntoView: true,
      });
      editor.focus();
    },
    cursor: () => view.current?.state.selection.main.head,
  }));
  return <div ref={parent} />;
}
