/*
 * GraphiQL's parts one by one: its single style.css would add web fonts and a second copy of the
 * editor's styles. The system's own fonts are named in theme.css.
 */
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-explorer/style.css';
import './theme.css';
import './panel.css';
import './notice.css';
