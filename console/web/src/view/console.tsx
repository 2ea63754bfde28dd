import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import type { Fetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import type { GraphQLSchema } from 'graphql';
import { memo } from 'react';
import type { Handover } from '../live/handover';
import type { LiveStatus } from '../live/status';
import type { TabText } from '../tabs/compose';
import { tabStorage } from '../tabs/storage';
import { Brand } from './brand';
import { EditorLook } from './editor-look';
import { LivePane } from './live-pane';

// One array and one plugin for the life of the page: GraphiQL takes a new one for a new choice of pane.
const explorer = explorerPlugin({ showAttribution: false });
const plugins = [explorer, HISTORY_PLUGIN];

/** What the variables pane accepts for scalars of Tidegate; by itself it would refuse objects as JSON. */
const scalars = {
  JSON: { type: ['object', 'array', 'string', 'number', 'boolean'] },
  Number: { type: ['number'] },
  Long: { type: ['integer'] },
};

interface Props {
  schema: GraphQLSchema;
  fetcher: Fetcher;
  status: LiveStatus;
  handover: Handover;
  /** Shown when the browser has no tabs stored. */
  tabs: TabText[];
}

/** GraphiQL. A new schema goes in as a property: text, tabs and results stay as they are. */
export const Console = memo(function Console({ schema, fetcher, status, handover, tabs }: Props) {
  return (
    <GraphiQL
      schema={schema}
      fetcher={fetcher}
      defaultTabs={tabs}
      onTabChange={({ tabs, activeTabIndex }) => status.tabShown(tabs[activeTabIndex]?.id)}
      storage={tabStorage}
      customScalarSchemas={scalars}
      plugins={plugins}
      visiblePlugin={explorer}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled={false}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <Brand />
      </GraphiQL.Logo>
      <EditorLook />
      <LivePane handover={handover} />
    </GraphiQL>
  );
});
