using System.Runtime.InteropServices;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Cloud.Agents.Sidecar;

/// <summary>A call of libvirt failed.</summary>
/// <param name="code">virErrorNumber; <see cref="Errors.Disconnected"/> when libvirtd is away.</param>
internal sealed class LibvirtException(int code, string message) : Exception(message)
{
    internal int Code { get; } = code;
}

/// <summary>libvirt's error numbers as gRPC statuses.</summary>
internal static class Errors
{
    internal const int InvalidArgument = 8, OperationFailed = 9, NoDomain = 42, OperationInvalid = 55, DeviceMissing = 99;

    /// <summary>Not a number of libvirt's: the connection is gone, whatever the call said.</summary>
    internal const int Disconnected = -1;

    private const int Rpc = 7;   // origin of what goes wrong on the way to libvirtd

    /// <summary>The last error of this thread. Read it before any other call of libvirt, releases included.</summary>
    internal static LibvirtException Last(ConnectHandle connect)
    {
        var (code, origin, message) = Read();
        return new(origin != Rpc && Native.virConnectIsAlive(connect) == 1 ? code : Disconnected, message);
    }

    /// <summary>Number, origin (virErrorDomain) and text of this thread's last error.</summary>
    internal static (int Code, int Origin, string Message) Read()
    {
        // struct _virError { int code; int domain; char *message; ... }
        var error = Native.virGetLastError();
        if (error == IntPtr.Zero) return (0, 0, "libvirt gave no reason");
        return (Marshal.ReadInt32(error), Marshal.ReadInt32(error, 4), Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(error, 8)) ?? "");
    }

    internal static StatusCode Status(int code) => code switch
    {
        NoDomain or DeviceMissing => StatusCode.NotFound,
        OperationInvalid or 84 or 87 => StatusCode.FailedPrecondition,   // also: operation unsupported, resource busy
        InvalidArgument or 16 or (>= 17 and <= 23) or 27 or 35 or 44 or 67 or 74 or 82 or 91 or 92 => StatusCode.InvalidArgument,
        Disconnected or 5 or 6 or 39 or 68 or 78 => StatusCode.Unavailable,   // no connection, RPC, timeout, aborted
        _ => StatusCode.Internal,
    };
}

/// <summary>Turns what libvirt throws into statuses, for every operation.</summary>
internal sealed class ErrorInterceptor(ILogger<ErrorInterceptor> log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> next)
    {
        try
        {
            return await next(request, context);
        }
        catch (LibvirtException e)
        {
            var status = Errors.Status(e.Code);
            if (status == StatusCode.Internal) log.LogWarning("{Method}: libvirt error {Code}: {Message}", context.Method, e.Code, e.Message);
            throw new RpcException(new Status(status, e.Message));
        }
    }
}
