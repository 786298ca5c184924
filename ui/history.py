"""The browser's history: one press of Back leaves a page, though pages write what they show into their address."""

import streamlit as st

_ONE_STEP_A_PAGE = """<script>
if (!history.isOneStepAPage) {
    const push = history.pushState.bind(history)
    let left = null  // the address that was emptied, as Streamlit does before it opens another page
    history.pushState = (state, title, address) => {
        const now = new URL(location.href), next = new URL(address, now)
        const onlyAdds = [...now.searchParams].every(([name, value]) => next.searchParams.get(name) === value)
        const isSamePage = next.origin + next.pathname === now.origin + now.pathname
        const isEmptied = isSamePage && now.search && !next.search
        if (left && !isSamePage) history.replaceState(history.state, title, left)
        left = isEmptied ? now.href : null
        const isNoStep = isEmptied || (isSamePage && onlyAdds)
        isNoStep ? history.replaceState(state, title, address) : push(state, title, address)
    }
    history.isOneStepAPage = true
}
</script>"""


def make_one_step_a_page() -> None:
    """Have an address that only gains parameters, or loses all, take the place of the one before in the history.

    NOTE: Streamlit makes every change of `st.query_params` a step of its own. A page that writes the run it opened with
    into its address would then take two presses of Back; a choice made on the page stays a step, to which Back leads.
    """
    st.html(_ONE_STEP_A_PAGE, unsafe_allow_javascript=True)
