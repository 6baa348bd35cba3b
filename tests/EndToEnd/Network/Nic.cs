using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;
using Cloud.Tests.Kit;
using Microsoft.Win32.SafeHandles;

namespace Cloud.Tests.EndToEnd.Network;

/// <summary>The guest's end of a tap, as qemu holds it: whole frames in and out.</summary>
public sealed class Nic : IDisposable
{
    private const uint SetInterface = 0x400454ca;
    private const short Tap = 2, NoPacketInfo = 0x1000;
    private readonly SafeFileHandle file;
    private readonly Thread reader;
    private readonly Channel<byte[]> frames = Channel.CreateUnbounded<byte[]>();
    private volatile bool closed;

    /// <summary>Opens a tap of the network namespace that the calling thread is in; makes it when it isn't there.</summary>
    public Nic(string name)
    {
        file = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite);
        var request = new byte[40];
        Encoding.ASCII.GetBytes(name, request);
        BinaryPrimitives.WriteInt16LittleEndian(request.AsSpan(16), Tap | NoPacketInfo);
        if (ioctl(file, SetInterface, request) < 0)
            throw new IOException($"{name}: {Marshal.GetLastPInvokeErrorMessage()}");
        reader = new Thread(Read);
        reader.Start();
    }

    /// <summary>Where frames go as they come; else they wait for <see cref="Next"/>.</summary>
    public Action<byte[]>? Sink { get; set; }

    /// <summary>Lost when the tap is switched off, as on a cable that is pulled.</summary>
    public void Send(byte[] frame)
    {
        lock (frames)
            if (!closed)
                _ = write(file, frame, (nuint)frame.Length);
    }

    /// <summary>The next frame that fits; those before it are given to <paramref name="seen"/>.</summary>
    public async Task<byte[]> Next(Func<byte[], bool> fits, ICollection<byte[]>? seen = null)
    {
        using var patience = new CancellationTokenSource(Patience.Span);
        await foreach (var frame in frames.Reader.ReadAllAsync(patience.Token))
            if (fits(frame))
                return frame;
            else
                seen?.Add(frame);
        throw new InvalidOperationException("the tap is closed");
    }

    public void Dispose()
    {
        lock (frames)
            closed = true;
        reader.Join();
        file.Dispose();
    }

    private void Read()
    {
        var buffer = new byte[65536];
        var wait = new PollFile { File = (int)file.DangerousGetHandle(), Wanted = 1 };
        while (!closed)
        {
            wait.Got = 0;
            if (poll(ref wait, 1, 50) <= 0 || (wait.Got & 1) == 0)
                continue;
            var length = read(file, buffer, (nuint)buffer.Length);
            if (length <= 0)
                break;
            var frame = buffer.AsSpan(0, (int)length).ToArray();
            if (Sink is { } sink)
                sink(frame);
            else
                frames.Writer.TryWrite(frame);
        }

        frames.Writer.TryComplete();
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFile
    {
        public int File;
        public short Wanted;
        public short Got;
    }

#pragma warning disable SYSLIB1054 // The generated kind needs unsafe code in the whole project.
    [DllImport("libc", SetLastError = true)]
    private static extern int ioctl(SafeHandle file, nuint request, byte[] argument);
    [DllImport("libc", SetLastError = true)]
    private static extern nint read(SafeHandle file, byte[] buffer, nuint length);
    [DllImport("libc", SetLastError = true)]
    private static extern nint write(SafeHandle file, byte[] buffer, nuint length);
    [DllImport("libc", SetLastError = true)]
    private static extern int poll(ref PollFile files, nuint count, int timeout);
#pragma warning restore SYSLIB1054
}
