/** The top bar: navigation, search, live badge, tasks, help, account. */
import { Badge, Button } from '@patternfly/react-core'
import BarsIcon from '@patternfly/react-icons/dist/esm/icons/bars-icon'
import QuestionCircleIcon from '@patternfly/react-icons/dist/esm/icons/question-circle-icon'
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon'
import TasksIcon from '@patternfly/react-icons/dist/esm/icons/tasks-icon'
import { AppLink } from '../parts/AppLink'
import { useList } from '../parts/useLive'
import { masthead, nav, product } from '../text/en'
import icon from '../parts/icon.svg'
import { LiveBadge } from './LiveBadge'
import { shortcutsOpen } from './ShortcutsDialog'
import { unfinished } from '../parts/tasks/taskQuery'
import { UserMenu } from './UserMenu'

interface MastheadProps {
  isNavOpen: boolean
  onToggleNav: () => void
  areTasksOpen: boolean
  onToggleTasks: () => void
  onSearch: () => void
  isPhone: boolean
}

export function Masthead(props: MastheadProps) {
  const { view } = useList('actions', unfinished, 50)
  const running = view.total
  return (
    <header className="masthead">
      <Button
        variant="plain"
        aria-label={nav.toggle}
        aria-expanded={props.isNavOpen}
        aria-controls="navigation"
        icon={<BarsIcon />}
        onClick={props.onToggleNav}
      />
      <AppLink to="/" className="brand">
        <img src={icon} alt="" width={24} height={24} />
        <span>{product}</span>
      </AppLink>
      <button
        type="button"
        className="search-button"
        aria-label={props.isPhone ? masthead.searchLabel : undefined}
        onClick={props.onSearch}
      >
        <SearchIcon />
        {!props.isPhone && <span className="search-words">{masthead.search}</span>}
        {!props.isPhone && <kbd>{masthead.searchKeys}</kbd>}
      </button>
      <div className="masthead-end">
        <LiveBadge />
        <Button
          variant="plain"
          aria-label={masthead.tasks(running)}
          aria-expanded={props.areTasksOpen}
          onClick={props.onToggleTasks}
          className="tasks-button"
          icon={<TasksIcon />}
        >
          {running > 0 && <Badge>{running}</Badge>}
        </Button>
        {!props.isPhone && (
          <Button
            variant="plain"
            aria-label={masthead.help}
            icon={<QuestionCircleIcon />}
            onClick={() => shortcutsOpen.set(true)}
          />
        )}
        <UserMenu />
      </div>
    </header>
  )
}
