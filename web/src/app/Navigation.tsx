import { AppLink } from '../parts/AppLink'
import { nav } from '../text/en'
import { groups, isAt } from './places'

export function Navigation({ path }: { path: string }) {
  return (
    <nav className="navigation" aria-label={nav.label} id="navigation">
      {groups.map((group) => (
        <section key={group.label} className="nav-group">
          <h2 id={`nav-${group.label}`}>{group.label}</h2>
          <ul aria-labelledby={`nav-${group.label}`}>
            {group.places.map((place) => (
              <li key={place.path}>
                <AppLink
                  to={place.path}
                  className="nav-link"
                  aria-current={isAt(place, path) ? 'page' : undefined}
                >
                  {place.label}
                </AppLink>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  )
}
