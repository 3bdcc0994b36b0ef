/** The account: who, theme, density, shortcuts, sign out. */
import {
  Divider,
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
  MenuToggle,
} from '@patternfly/react-core'
import UserIcon from '@patternfly/react-icons/dist/esm/icons/user-icon'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { problemOf } from '../api/problem'
import { sessionQuery, signOut } from '../api/queries'
import { cutMiddle } from '../parts/format'
import { problemWords } from '../parts/ProblemAlert'
import { changeSettings, useSettings, type Density, type Theme } from '../parts/settings'
import { showToast } from '../parts/toasts'
import { masthead } from '../text/en'
import { queryClient } from './queryClient'

const themes: readonly { theme: Theme; label: string }[] = [
  { theme: 'system', label: masthead.themeSystem },
  { theme: 'light', label: masthead.themeLight },
  { theme: 'dark', label: masthead.themeDark },
]
const densities: readonly { density: Density; label: string }[] = [
  { density: 'compact', label: masthead.compact },
  { density: 'comfortable', label: masthead.comfortable },
]

export function UserMenu() {
  const { data: session } = useQuery(sessionQuery)
  const [isOpen, setOpen] = useState(false)
  const settings = useSettings()
  const navigate = useNavigate()
  const user = session?.user ?? ''
  const leave = async () => {
    try {
      await signOut()
      queryClient.clear()
      queryClient.setQueryData(sessionQuery.queryKey, null)
      await navigate({ to: '/login' })
    } catch (error) {
      const { message, hint } = problemWords(problemOf(error))
      showToast({ variant: 'danger', title: masthead.signOutFailed, body: message, hint })
    }
  }
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      popperProps={{ position: 'right', appendTo: 'inline' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          isExpanded={isOpen}
          aria-label={masthead.userMenu(user)}
          onClick={() => setOpen(!isOpen)}
        >
          <UserIcon /> <span className="wide-only user-name">{cutMiddle(user, 20)}</span>
        </MenuToggle>
      )}
    >
      <DropdownGroup
        label={`${cutMiddle(user, 30)} · ${masthead.role(session?.role ?? '')}`}
        labelHeadingLevel="h2"
      >
        <DropdownList>
          {themes.map(({ theme, label }) => (
            <DropdownItem
              key={theme}
              isSelected={settings.theme === theme}
              onClick={() => changeSettings({ theme })}
            >
              {label}
            </DropdownItem>
          ))}
          <Divider component="li" />
          {densities.map(({ density, label }) => (
            <DropdownItem
              key={density}
              isSelected={settings.density === density}
              onClick={() => changeSettings({ density })}
            >
              {label}
            </DropdownItem>
          ))}
          <DropdownItem
            isSelected={settings.letters}
            onClick={() => changeSettings({ letters: !settings.letters })}
          >
            {masthead.shortcutsSwitch}
          </DropdownItem>
          <Divider component="li" />
          <DropdownItem onClick={() => void leave()}>{masthead.signOut}</DropdownItem>
        </DropdownList>
      </DropdownGroup>
    </Dropdown>
  )
}
