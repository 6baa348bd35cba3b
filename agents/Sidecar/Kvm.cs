using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cloud.Agents.Sidecar;

/// <summary>
/// Whether KVM is worth using. That /dev/kvm opens and makes machines says little: inside some virtual machines it then
/// emulates each instruction and is far slower than qemu's own translator. So a virtual CPU runs a short loop against the clock.
/// </summary>
internal static partial class Kvm
{
    private const int ApiVersion = 12;
    private const uint GetApiVersion = 0xAE00, CreateVm = 0xAE01, GetVcpuMmapSize = 0xAE04, CreateVcpu = 0xAE41, RunVcpu = 0xAE80;
    private const uint SetUserMemoryRegion = 0x4020AE46, SetRegs = 0x4090AE82, GetSregs = 0x8138AE83, SetSregs = 0x4138AE84;
    private const int ExitHalt = 5;
    private const int Page = 4096;
    private const ulong CodeAt = 0x1000;

    // Real mode: mov cx, 50000; dec cx; jnz -3; hlt. About 50 us on hardware, 90 ms where it is emulated.
    private static readonly byte[] Loop = [0xB9, 0x50, 0xC3, 0x49, 0x75, 0xFD, 0xF4];
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(10);
    private const int Attempts = 5;   // one may be delayed by other work on the host

    /// <summary>True: guests run by KVM here, at the speed of hardware.</summary>
    internal static bool Works()
    {
        using var memory = new Mapping(-1, Page);
        var kvm = open("/dev/kvm", 2 /* O_RDWR */ | 0x80000 /* O_CLOEXEC */);
        if (kvm < 0) return false;
        var machine = -1;
        var cpu = -1;
        try
        {
            if (ioctl(kvm, GetApiVersion, 0) != ApiVersion) return false;
            machine = ioctl(kvm, CreateVm, 0);
            if (machine < 0 || memory.Failed || !GiveMemory(machine, memory.Address)) return false;
            cpu = ioctl(machine, CreateVcpu, 0);
            var size = ioctl(kvm, GetVcpuMmapSize, 0);
            if (cpu < 0 || size < Page) return false;
            using var run = new Mapping(cpu, size);
            return !run.Failed && Enumerable.Range(0, Attempts).Any(_ => RunsFast(cpu, run.Address));
        }
        finally
        {
            if (cpu >= 0) _ = close(cpu);
            if (machine >= 0) _ = close(machine);
            _ = close(kvm);
        }
    }

    private static bool GiveMemory(int machine, IntPtr memory)
    {
        Marshal.Copy(Loop, 0, memory, Loop.Length);
        var region = new byte[32];   // slot, flags, guest address, size, our address
        BinaryPrimitives.WriteUInt64LittleEndian(region.AsSpan(8), CodeAt);
        BinaryPrimitives.WriteUInt64LittleEndian(region.AsSpan(16), Page);
        BinaryPrimitives.WriteUInt64LittleEndian(region.AsSpan(24), (ulong)memory);
        return ioctl(machine, SetUserMemoryRegion, region) == 0;
    }

    private static bool RunsFast(int cpu, IntPtr run)
    {
        var segments = new byte[312];   // kvm_sregs; begins with cs: base (8 bytes), limit (4), selector (2)
        if (ioctl(cpu, GetSregs, segments) != 0) return false;
        segments.AsSpan(0, 8).Clear();
        segments.AsSpan(12, 2).Clear();
        var registers = new byte[144];   // kvm_regs; ends with rip, rflags
        BinaryPrimitives.WriteUInt64LittleEndian(registers.AsSpan(128), CodeAt);
        BinaryPrimitives.WriteUInt64LittleEndian(registers.AsSpan(136), 2);
        if (ioctl(cpu, SetSregs, segments) != 0 || ioctl(cpu, SetRegs, registers) != 0) return false;
        var began = Stopwatch.GetTimestamp();
        return ioctl(cpu, RunVcpu, 0) == 0
            && Marshal.ReadInt32(run, 8) == ExitHalt
            && Stopwatch.GetElapsedTime(began) < Slow;
    }

    /// <summary>Shared memory: of a file, or of nobody (-1).</summary>
    private sealed class Mapping(int file, int size) : IDisposable
    {
        internal IntPtr Address { get; } = mmap(IntPtr.Zero, (nuint)size, 3 /* read, write */, file < 0 ? 0x21 : 1 /* shared, anonymous */, file, 0);
        internal bool Failed => Address == -1;
        public void Dispose()
        {
            if (!Failed) _ = munmap(Address, (nuint)size);
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)] private static partial int open(string path, int flags);
    [LibraryImport("libc")] private static partial int close(int file);
    [LibraryImport("libc")] private static partial int ioctl(int file, nuint request, nuint argument);
    [LibraryImport("libc")] private static partial int ioctl(int file, nuint request, [In, Out] byte[] argument);
    [LibraryImport("libc")] private static partial IntPtr mmap(IntPtr address, nuint size, int protection, int flags, int file, long offset);
    [LibraryImport("libc")] private static partial int munmap(IntPtr address, nuint size);
}
