"""What the agent does with a command: decode, call, report.

``acceptance`` checks a sealed message and writes it down
``executor``   runs what was written down, operations of one project one after the other
``operation``  one run, as the work sees it
``failures``   from exceptions to the errors that people see
``dispatch``   from a command to the function that does it
``projects``, ``containers``, ``images``, ``host``   those functions, by noun
"""
