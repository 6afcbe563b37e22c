"""An API key for each agent, with a limit that Venice holds, whatever an agent is talked into.

Which key belongs to which agent stands in the key's own description at Venice, and nowhere else.
`account` is what Venice has, `issuing` gives agents their keys, `overview` lists and judges them.
"""
