/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/processor.c - run the guest until it ends, and begin again when it asked to be reset.
 *
 * Asked by:  user/run.c. Asks: plx_vcpu_run, which belongs to this thread.
 * Tells:     the event loop, by @done and a poke.
 */
#include "user/processor.h"

/* The machine as at power-on, but for what is in RAM. */
static bool reset_machine(struct processor *cpu)
{
	cpu->resets++;
	pc_reset(cpu->machine->pc);
	plx_vm_reset_cpu(cpu->machine->vm);
	if (!machine_power_on(cpu->machine, cpu->why, sizeof(cpu->why)))
		return true;
	cpu->exit = PLX_EXIT_ERROR;
	return false;
}

static bool go_on(struct processor *cpu)
{
	struct machine *m = cpu->machine;

	switch (cpu->exit) {
	case PLX_EXIT_RESET:
		return reset_machine(cpu);
	case PLX_EXIT_TRIPLE_FAULT:
		cpu->triple_faults++;
		if (m->options->reset_on_triple_fault)
			return reset_machine(cpu);
		plx_vm_dump_registers(m->vm, cpu->why, sizeof(cpu->why));
		return false;
	case PLX_EXIT_ERROR:
		/* A process of the machine may have died inside a device: nobody but the event loop asks for the lock now. */
		pc_break_lock(m->pc);
		snprintf(cpu->why, sizeof(cpu->why), "%s", plx_vm_error(m->vm));
		return false;
	default:
		return false;
	}
}

static void *processor_thread(void *argument)
{
	struct processor *cpu = argument;

	do
		cpu->exit = plx_vcpu_run(cpu->machine->vm);
	while (go_on(cpu));
	atomic_store(&cpu->done, true);
	wake_surely(&cpu->machine->shared->events);
	return NULL;
}

int processor_start(struct processor *cpu, struct machine *machine)
{
	*cpu = (struct processor){ .machine = machine };
	return -pthread_create(&cpu->thread, NULL, processor_thread, cpu);
}
