"""The browser's history: one press of Back leaves a page, though pages write what they show into their address."""

import streamlit as st

_ONE_STEP_A_PAGE = """<script>
if (!history.isOneStepAPage) {
    const push = history.pushState.bind(history)
    let left = null  // the address that was emptied, as Streamlit does before another page writes into it and opens
    addEventListener("popstate", () => left = null)
    history.pushState = (state, title, address) => {
        const now = new URL(location.href), next = new URL(address, now)
        const chosen = next.searchParams
        const changes = [...now.searchParams].some(([name, value]) => chosen.has(name) && chosen.get(name) !== value)
        const isSamePage = next.origin + next.pathname === now.origin + now.pathname
        const isEmptied = isSamePage && now.search && !next.search
        if (left && !isSamePage) history.replaceState(history.state, title, left)
        left = isEmptied ? now.href : isSamePage ? left : null
        isSamePage && !changes ? history.replaceState(state, title, address) : push(state, title, address)
    }
    history.isOneStepAPage = true
}
</script>"""


def make_one_step_a_page() -> None:
    """Have an address that only gains and loses parameters take the place of the one before in the history.

    NOTE: Streamlit makes every change of `st.query_params` a step of its own. A page that writes the run it opened with
    into its address would then take two presses of Back, and so would one into whose address the page before still
    writes. A choice made on the page, which changes a parameter, stays a step, to which Back leads.
    """
    st.html(_ONE_STEP_A_PAGE, unsafe_allow_javascript=True)
