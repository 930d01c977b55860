/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-bios/dsdt.asl - the machine as an ACPI system sees it: devices/pc.c, told in ASL.
 *
 * Compiled by iasl when Plexus is built; guest-bios/acpi.c wraps the result in FADT, RSDT and RSDP.
 * Must agree with: devices/ (ports, interrupts, PIIX3 routing registers) and guest-bios/acpi.c (PM ports).
 * There is no I/O APIC in this machine, so there is one interrupt model, the 8259A pair, and no _PIC.
 * Revision 1: integers of 32 bits, names and operators of ACPI 1.0, so that systems of 1998 read it too.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 1, "PLEXUS", "PLXDSDT", 1)
{
	Scope (\_PR)
	{
		Processor (CPU0, 0, 0, 0) { }
	}

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, Zero)

			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0x0000, 0x0000, 0x00FF, 0x0000, 0x0100)
				IO (Decode16, 0x0CF8, 0x0CF8, 0x01, 0x08)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0x0000, 0x0000, 0x0CF7, 0x0000, 0x0CF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0x0000, 0x0D00, 0xFFFF, 0x0000, 0xF300)
				/* The VGA's legacy window. */
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
					0x00000000, 0x000A0000, 0x000BFFFF, 0x00000000, 0x00020000)
				/* From the most RAM there can be (3.5 GiB) to where an I/O APIC would stand. */
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
					0x00000000, 0xE0000000, 0xFEBFFFFF, 0x00000000, 0x1EC00000)
			})

			/* INTA..INTD of a slot turn by one with each slot, as on the board: pin p of
			 * slot s ends at PIRQ (s - 1 + p) mod 4. */
			Name (_PRT, Package ()
			{
				Package () { 0x0000FFFF, 0, LNKD, Zero },
				Package () { 0x0000FFFF, 1, LNKA, Zero },
				Package () { 0x0000FFFF, 2, LNKB, Zero },
				Package () { 0x0000FFFF, 3, LNKC, Zero },
				/* INTA of slot 1 is the power management function: wired to the SCI. */
				Package () { 0x0001FFFF, 0, Zero, 9 },
				Package () { 0x0001FFFF, 1, LNKB, Zero },
				Package () { 0x0001FFFF, 2, LNKC, Zero },
				Package () { 0x0001FFFF, 3, LNKD, Zero },
				Package () { 0x0002FFFF, 0, LNKB, Zero },
				Package () { 0x0002FFFF, 1, LNKC, Zero },
				Package () { 0x0002FFFF, 2, LNKD, Zero },
				Package () { 0x0002FFFF, 3, LNKA, Zero },
				Package () { 0x0003FFFF, 0, LNKC, Zero },
				Package () { 0x0003FFFF, 1, LNKD, Zero },
				Package () { 0x0003FFFF, 2, LNKA, Zero },
				Package () { 0x0003FFFF, 3, LNKB, Zero },
				Package () { 0x0004FFFF, 0, LNKD, Zero },
				Package () { 0x0004FFFF, 1, LNKA, Zero },
				Package () { 0x0004FFFF, 2, LNKB, Zero },
				Package () { 0x0004FFFF, 3, LNKC, Zero },
				Package () { 0x0005FFFF, 0, LNKA, Zero },
				Package () { 0x0005FFFF, 1, LNKB, Zero },
				Package () { 0x0005FFFF, 2, LNKC, Zero },
				Package () { 0x0005FFFF, 3, LNKD, Zero },
				Package () { 0x0006FFFF, 0, LNKB, Zero },
				Package () { 0x0006FFFF, 1, LNKC, Zero },
				Package () { 0x0006FFFF, 2, LNKD, Zero },
				Package () { 0x0006FFFF, 3, LNKA, Zero },
				Package () { 0x0007FFFF, 0, LNKC, Zero },
				Package () { 0x0007FFFF, 1, LNKD, Zero },
				Package () { 0x0007FFFF, 2, LNKA, Zero },
				Package () { 0x0007FFFF, 3, LNKB, Zero },
				Package () { 0x0008FFFF, 0, LNKD, Zero },
				Package () { 0x0008FFFF, 1, LNKA, Zero },
				Package () { 0x0008FFFF, 2, LNKB, Zero },
				Package () { 0x0008FFFF, 3, LNKC, Zero },
				Package () { 0x0009FFFF, 0, LNKA, Zero },
				Package () { 0x0009FFFF, 1, LNKB, Zero },
				Package () { 0x0009FFFF, 2, LNKC, Zero },
				Package () { 0x0009FFFF, 3, LNKD, Zero },
				Package () { 0x000AFFFF, 0, LNKB, Zero },
				Package () { 0x000AFFFF, 1, LNKC, Zero },
				Package () { 0x000AFFFF, 2, LNKD, Zero },
				Package () { 0x000AFFFF, 3, LNKA, Zero },
				Package () { 0x000BFFFF, 0, LNKC, Zero },
				Package () { 0x000BFFFF, 1, LNKD, Zero },
				Package () { 0x000BFFFF, 2, LNKA, Zero },
				Package () { 0x000BFFFF, 3, LNKB, Zero },
				Package () { 0x000CFFFF, 0, LNKD, Zero },
				Package () { 0x000CFFFF, 1, LNKA, Zero },
				Package () { 0x000CFFFF, 2, LNKB, Zero },
				Package () { 0x000CFFFF, 3, LNKC, Zero },
				Package () { 0x000DFFFF, 0, LNKA, Zero },
				Package () { 0x000DFFFF, 1, LNKB, Zero },
				Package () { 0x000DFFFF, 2, LNKC, Zero },
				Package () { 0x000DFFFF, 3, LNKD, Zero },
				Package () { 0x000EFFFF, 0, LNKB, Zero },
				Package () { 0x000EFFFF, 1, LNKC, Zero },
				Package () { 0x000EFFFF, 2, LNKD, Zero },
				Package () { 0x000EFFFF, 3, LNKA, Zero },
				Package () { 0x000FFFFF, 0, LNKC, Zero },
				Package () { 0x000FFFFF, 1, LNKD, Zero },
				Package () { 0x000FFFFF, 2, LNKA, Zero },
				Package () { 0x000FFFFF, 3, LNKB, Zero }
			})

			/* PIIX3: PCI to ISA bridge. */
			Device (ISA)
			{
				Name (_ADR, 0x00010000)

				/* PIRQRC[A:D]: bit 7 set = not routed, bits 3..0 the 8259A input. */
				OperationRegion (PIRQ, PCI_Config, 0x60, 0x04)
				Field (PIRQ, ByteAcc, NoLock, Preserve)
				{
					PRQA, 8,
					PRQB, 8,
					PRQC, 8,
					PRQD, 8
				}

				Device (RTC)
				{
					Name (_HID, EisaId ("PNP0B00"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0070, 0x0070, 0x01, 0x02)
						IRQNoFlags () {8}
					})
				}

				Device (PIC)
				{
					Name (_HID, EisaId ("PNP0000"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0020, 0x0020, 0x01, 0x02)
						IO (Decode16, 0x00A0, 0x00A0, 0x01, 0x02)
						IO (Decode16, 0x04D0, 0x04D0, 0x01, 0x02)
						IRQNoFlags () {2}
					})
				}

				Device (TIMR)
				{
					Name (_HID, EisaId ("PNP0100"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0040, 0x0040, 0x01, 0x04)
						IRQNoFlags () {0}
					})
				}

				Device (DMA)
				{
					Name (_HID, EisaId ("PNP0200"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0000, 0x0000, 0x01, 0x10)
						IO (Decode16, 0x0081, 0x0081, 0x01, 0x0F)
						IO (Decode16, 0x00C0, 0x00C0, 0x01, 0x20)
						DMA (Compatibility, NotBusMaster, Transfer8_16) {4}
					})
				}

				Device (FPU)
				{
					Name (_HID, EisaId ("PNP0C04"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x00F0, 0x00F0, 0x01, 0x10)
						IRQNoFlags () {13}
					})
				}

				Device (SPKR)
				{
					Name (_HID, EisaId ("PNP0800"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0061, 0x0061, 0x01, 0x01)
					})
				}

				Device (KBD)
				{
					Name (_HID, EisaId ("PNP0303"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0060, 0x0060, 0x01, 0x01)
						IO (Decode16, 0x0064, 0x0064, 0x01, 0x01)
						IRQNoFlags () {1}
					})
				}

				Device (MOU)
				{
					Name (_HID, EisaId ("PNP0F13"))
					Name (_CRS, ResourceTemplate ()
					{
						IRQNoFlags () {12}
					})
				}

				Device (COM1)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, One)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08)
						IRQNoFlags () {4}
					})
				}

				Device (COM2)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 0x02)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x02F8, 0x02F8, 0x01, 0x08)
						IRQNoFlags () {3}
					})
				}

				/* Ports that belong to the board: nobody else may be placed there. */
				Device (MBRD)
				{
					Name (_HID, EisaId ("PNP0C02"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0092, 0x0092, 0x01, 0x01)
						IO (Decode16, 0x00B2, 0x00B2, 0x01, 0x02)
						IO (Decode16, 0x0402, 0x0402, 0x01, 0x01)
						IO (Decode16, 0x0510, 0x0510, 0x01, 0x0C)
						IO (Decode16, 0x0600, 0x0600, 0x01, 0x40)
						IO (Decode16, 0x0700, 0x0700, 0x01, 0x10)
					})
				}
			}
		}

		/* The four PIRQ wires. A link's _STA, _DIS, _CRS and _SRS differ only in the register. */
		Name (PRSP, ResourceTemplate ()
		{
			IRQ (Level, ActiveLow, Shared) {5, 10, 11}
		})

		Method (PSTA, 1, NotSerialized)
		{
			If (And (Arg0, 0x80))
			{
				Return (0x09)
			}
			Return (0x0B)
		}

		Name (PBUF, ResourceTemplate ()
		{
			IRQ (Level, ActiveLow, Shared) {}
		})

		Method (PCRS, 1, Serialized)
		{
			CreateWordField (PBUF, One, MASK)
			Store (Zero, MASK)
			If (LNot (And (Arg0, 0x80)))
			{
				ShiftLeft (One, And (Arg0, 0x0F), MASK)
			}
			Return (PBUF)
		}

		/* The 8259A input that a _SRS buffer asks for. */
		Method (PSRS, 1, NotSerialized)
		{
			CreateWordField (Arg0, One, MASK)
			FindSetRightBit (MASK, Local0)
			Return (Subtract (Local0, One))
		}

		Device (LNKA)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 0x01)
			Method (_STA, 0, NotSerialized) { Return (PSTA (^^PCI0.ISA.PRQA)) }
			Method (_DIS, 0, NotSerialized) { Or (^^PCI0.ISA.PRQA, 0x80, ^^PCI0.ISA.PRQA) }
			Method (_PRS, 0, NotSerialized) { Return (PRSP) }
			Method (_CRS, 0, NotSerialized) { Return (PCRS (^^PCI0.ISA.PRQA)) }
			Method (_SRS, 1, NotSerialized) { Store (PSRS (Arg0), ^^PCI0.ISA.PRQA) }
		}

		Device (LNKB)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 0x02)
			Method (_STA, 0, NotSerialized) { Return (PSTA (^^PCI0.ISA.PRQB)) }
			Method (_DIS, 0, NotSerialized) { Or (^^PCI0.ISA.PRQB, 0x80, ^^PCI0.ISA.PRQB) }
			Method (_PRS, 0, NotSerialized) { Return (PRSP) }
			Method (_CRS, 0, NotSerialized) { Return (PCRS (^^PCI0.ISA.PRQB)) }
			Method (_SRS, 1, NotSerialized) { Store (PSRS (Arg0), ^^PCI0.ISA.PRQB) }
		}

		Device (LNKC)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 0x03)
			Method (_STA, 0, NotSerialized) { Return (PSTA (^^PCI0.ISA.PRQC)) }
			Method (_DIS, 0, NotSerialized) { Or (^^PCI0.ISA.PRQC, 0x80, ^^PCI0.ISA.PRQC) }
			Method (_PRS, 0, NotSerialized) { Return (PRSP) }
			Method (_CRS, 0, NotSerialized) { Return (PCRS (^^PCI0.ISA.PRQC)) }
			Method (_SRS, 1, NotSerialized) { Store (PSRS (Arg0), ^^PCI0.ISA.PRQC) }
		}

		Device (LNKD)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 0x04)
			Method (_STA, 0, NotSerialized) { Return (PSTA (^^PCI0.ISA.PRQD)) }
			Method (_DIS, 0, NotSerialized) { Or (^^PCI0.ISA.PRQD, 0x80, ^^PCI0.ISA.PRQD) }
			Method (_PRS, 0, NotSerialized) { Return (PRSP) }
			Method (_CRS, 0, NotSerialized) { Return (PCRS (^^PCI0.ISA.PRQD)) }
			Method (_SRS, 1, NotSerialized) { Store (PSRS (Arg0), ^^PCI0.ISA.PRQD) }
		}
	}

	/* Soft off: SLP_TYP 000b of the PIIX4. The power button is the fixed one: see the FADT's flags. */
	Name (\_S5, Package () { Zero, Zero, Zero, Zero })
}
