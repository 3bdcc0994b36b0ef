/** Starts the page. */
import '@patternfly/react-core/dist/styles/base.css'
import './styles/tokens.css'
import './styles/shell.css'
import './styles/table.css'
import './styles/pages.css'
import './styles/states.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { queryClient } from './app/queryClient'
import { router } from './app/router'
import { applySettings, followSettings } from './parts/settings'

applySettings()
followSettings()

const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  )
}
