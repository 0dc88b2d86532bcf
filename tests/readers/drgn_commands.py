# SPDX-License-Identifier: GPL-2.0-or-later
# Run by drgn, with the program in `prog`: what people ask of it, each answer behind a line that starts
# with "#### ". What fails says why and does not keep the rest from being asked.
import sys

from drgn.helpers.linux.cpumask import for_each_present_cpu
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_dmesg


def current(cpu):
    return per_cpu(prog["runqueues"], cpu).curr


def get_log():
    print(get_dmesg(prog).decode(), end="")


def list_tasks():
    for task in for_each_task(prog):
        print(task.pid.value_(), task.comm.string_().decode())


def crashed_thread():
    print(prog.crashed_thread().stack_trace())


def each_cpu():
    for cpu in for_each_present_cpu(prog):
        task = current(cpu)
        print(f"CPU {cpu}: {task.comm.string_().decode()}\n{prog.stack_trace(task)}")


def sleeping_tasks():
    running = {current(cpu).value_() for cpu in for_each_present_cpu(prog)}
    for task in for_each_task(prog):
        if task.value_() not in running:
            print(f"{task.pid.value_()} {task.comm.string_().decode()}\n{prog.stack_trace(task)}")


def variable():
    print(prog["init_uts_ns"])
    print(hex(prog["jiffies_64"].value_()))


for title, command in [("get_dmesg", get_log), ("for_each_task", list_tasks), ("crashed_thread", crashed_thread),
                       ("each CPU", each_cpu), ("sleeping tasks", sleeping_tasks), ("variables", variable)]:
    print(f"#### {title}")
    try:
        command()
    except Exception as error:  # whatever it is, it is the answer
        print(f"{type(error).__name__}: {error}")
    sys.stdout.flush()
