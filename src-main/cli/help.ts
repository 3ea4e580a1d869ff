export const HELP = `Vitrine: a virtual machine manager with its own x86 virtual machine monitor

usage: vitrine run [options]        boots a machine in this terminal; without options, the demo guest
       vitrine list                 the virtual machines of the library
       vitrine info NAME            all about one
       vitrine create NAME [options]   makes one
       vitrine add PATH             puts one that is on disk into the library
       vitrine delete NAME          deletes one from disk
       vitrine start NAME [--headless]   powers one on, or resumes it, in this terminal
       vitrine stop NAME [soft|hard]   asks the guest to shut down, or powers off
       vitrine suspend NAME         to disk
       vitrine resume NAME          one that is suspended (in this terminal) or paused
       vitrine reset | pause | unpause NAME
       vitrine console NAME         the serial terminal of one that runs; Ctrl-A x leaves it
       vitrine screenshot NAME PATH.png
       vitrine send-keys NAME KEYS... [--text TEXT]   e.g. ctrl-alt-delete
       vitrine stats NAME
       vitrine balloon NAME [MIB]   how much memory the guest is left with (--balloon), and what it does with it
       vitrine --help | --version
NAME is a virtual machine's name, its id or the path of its folder. --json after any of these prints JSON.

create takes the machine, firmware and device options of run (without the debug ones), and
  --new-disk SIZE[,FILE]      an empty disk, such as 8G or 512M (repeatable)
  --serial terminal|file:PATH|tcp:PORT|telnet:PORT|none   serial ports from COM1 on (repeatable; default: terminal)
  --demo                      the demo guest's disk, as the first one
  --guest FAMILY[:SYSTEM]     linux, windows, dos, bsd or other, and its name
  --description TEXT
  --location FOLDER           where its folder is made (default: the library's, ~/Virtual Machines)

add: --copied gives a virtual machine that the library has elsewhere an id of its own, --moved takes the other's place
delete: --yes deletes its disks for good; --keep-files takes it out of the library only
start: Ctrl-A x, or a signal, does what its settings say (options.onClose; otherwise suspends), the second one powers off;
  --discard-state powers on anew instead of resuming

machine (run, create)
  --engine interpreter|translator|lockstep   what runs the processor; lockstep runs both side by side and ends with a
                              report where they differ (default: translator)
  --memory MIB                RAM in MiB, 2 to 3840 (default: 256)
  --video-memory MIB          video memory in MiB: 4, 8, 16, 32 or 64 (default: 16)
  --cpus N                    processors (1 for now)
  --cpu KEY=VALUE[,...]       vendor=STRING (12 characters), brand=STRING, family=N, model=N, stepping=N, FEATURE=off
  --clock host|instructions   virtual time follows the host's clock, or the count of retired instructions: then
                              runs repeat exactly (default: host)

firmware and booting
  --firmware builtin|PATH     the built-in BIOS, or an image such as SeaBIOS's bios-256k.bin (default: builtin)
  --vga-bios PATH             VGA option ROM for a firmware image, such as vgabios-stdvga.bin
  --boot disk,cdrom           order in which the firmware tries devices (default: disk,cdrom)
  --boot-menu                 show the built-in BIOS's boot menu
  --kernel PATH               boot a Linux bzImage, Multiboot 1 or PVH image directly
  --initrd PATH               its initial RAM disk
  --append STRING             its command line
  --linux-entry 16|32|64      enter a Linux image by this entry instead of the best that its header allows
  --module "PATH ARGS"        Multiboot module (repeatable)

devices
  --disk PATH[,bus=ide|virtio|scsi|xen][,ro][,writethrough]   raw image as a disk (repeatable; default: ide, up to 4 with CDs);
                              ro: read-only; writethrough: every write goes to the host's disk before the guest hears that it is done
  --cdrom PATH[,bus=ide|scsi] ISO image in a CD-ROM drive (repeatable)
  --serial stdio|file:PATH|none   the first serial port, COM1 (default: stdio; Ctrl-A x ends the machine)
  --debug-console stdio|file:PATH|none   what the guest writes to ports E9h and 402h (default: none)
  --debug-exit                port F4h ends the machine with status (value << 1) | 1

paravirtualization (run)
  --board pc|microvm          a PC, or a board without legacy devices that boots --kernel only (default: pc)
  --paravirt none|minimal|kvm|xen|vmware   the hypervisor's interface that the guest finds (default: minimal; kvm on a microvm);
                              FEATURE=off behind a comma leaves one of its features out, e.g. kvm,pv-eoi=off
  --nic none|loopback|pcap:FILE[,model=virtio|xen][,mac=XX:XX:XX:XX:XX:XX]   network adapter (repeatable)
  --console serial|virtio|xen where this terminal is in the guest (default: serial)
  --share FOLDER,tag=NAME[,ro]   a folder that the guest mounts by 9P (repeatable)
  --balloon                   memory that the guest gives back when asked
  --rng                       random numbers from the host
  --vsock CID[,FOLDER]        sockets between guest and host, on the host as files in the folder
  --keyboard ps2|virtio   --pointer ps2|virtio   --display vga|virtio

running
  --timeout SECONDS           end after that long, exit 124
  --until REGEX               end with exit 0 when the serial output matches
  --script FILE               do what the lines say, one after the other; end with exit 0 after the last:
                                expect REGEX        wait for serial output
                                expect-screen REGEX wait for text on the VGA text screen
                                send TEXT           to the serial port (\\n \\r \\t \\e \\\\ \\xNN)
                                key NAMES           keys pressed together, e.g. "ctrl-alt-delete", or "enter"
                                type TEXT           text on the keyboard (US layout)
                                power-button        press it
                                shut-down           ask the guest's tools to, else press the power button
                                restart             ask the guest's tools to, else reset
                                pointer X Y [BUTTONS]  places of 0..65535, for guests that follow them
                                screenshot PATH     PNG of the screen
                                wait SECONDS        of the machine's time
                                cdrom PATH | cdrom eject
                                balloon MIB         what the guest shall be left with (--balloon)
                                # comment
  --screenshot PATH.png       picture of the screen at exit
  --stop-at N                 end with exit 0 when exactly N instructions have retired
  --save-state PATH           save the machine at exit
  --load-state PATH           go on from a saved machine (with the same machine options)
  --stats PATH.json           statistics at exit: instructions, MIPS, seconds, exits and interrupts by kind,
                              unclaimed accesses, unknown opcodes, translated regions
  --regions N[=PATH]          the N hottest regions of translated code at exit, a line each; those that are not
                              linked (their code was overwritten) come last
  --dump-region ADDRESS|hottest[:N][=PATH]   all about the translated code that has the instruction at a guest-physical
                              or linear address (hexadecimal), or about the hottest regions: x86, the translator's IR
                              before and after each pass, WebAssembly text, runs, bytes, times (repeatable)

exit status
  of the other commands: 0 done, 2 bad input or not possible; start: 3 the guest crashed
  0 the guest switched off, or --until, --script, --stop-at was reached    1 it switched off in mid-script
  2 bad input     3 triple fault
  124 timeout    130 ended by Ctrl-A x or Ctrl-C    (value << 1) | 1 --debug-exit
`
