import { useMonaco } from '@graphiql/react';
import { useEffect } from 'react';

/** GraphiQL's names of its two editor themes: defining them again restyles open editors. */
const THEMES = [
  { name: 'graphiql-DARK', base: 'vs-dark', accent: '#4fd1c5', ground: '#17222b' },
  { name: 'graphiql-LIGHT', base: 'vs', accent: '#0b7a75', ground: '#ffffff' },
] as const;

/** What GraphiQL leaves no property for: at its own size, half of a line is hidden on a small screen. */
const OPTIONS = { fontSize: 13, lineHeight: 20, wordWrap: 'on', wrappingIndent: 'indent' } as const;

/** Gives the editors the page's look; without it they keep GraphiQL's. */
export function EditorLook() {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    if (!monaco) return;
    for (const { name, base, accent, ground } of THEMES) {
      monaco.editor.defineTheme(name, { base, inherit: true, rules: [], colors: colors(accent, ground) });
    }
    for (const editor of monaco.editor.getEditors()) editor.updateOptions(OPTIONS);
    const created = monaco.editor.onDidCreateEditor((editor) => editor.updateOptions(OPTIONS));
    return () => created.dispose();
  }, [monaco]);
  return null;
}

function colors(accent: string, ground: string): Record<string, string> {
  const transparent = '#ffffff00';
  const wash = `${accent}22`;
  const solid = Object.fromEntries(
    ['editorHoverWidget', 'editorSuggestWidget', 'editorWidget', 'menu', 'quickInput'].map((part) => [
      `${part}.background`,
      ground,
    ]),
  );
  return {
    ...solid,
    'editor.background': transparent,
    'scrollbar.shadow': transparent,
    focusBorder: accent,
    'textLink.foreground': accent,
    'textLink.activeForeground': accent,
    'editorLink.activeForeground': accent,
    'list.hoverBackground': wash,
    'list.highlightForeground': accent,
    'list.focusHighlightForeground': accent,
    'editorSuggestWidget.selectedBackground': wash,
    'editorSuggestWidget.selectedForeground': accent,
    'editorSuggestWidget.highlightForeground': accent,
    'menu.selectionBackground': wash,
    'menu.selectionForeground': accent,
    'quickInputList.focusBackground': wash,
    'quickInputList.focusForeground': accent,
  };
}
