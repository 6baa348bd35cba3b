using System.Diagnostics;
using Cloud.Agents.Contract;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Cloud.Agents.Sidecar;

/// <summary>Each operation is a span of the trace that its caller is in.</summary>
internal sealed class TraceInterceptor : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> next)
    {
        using var span = Tracing.Begin("libvirt" + context.Method[context.Method.LastIndexOf('/')..], ActivityKind.Server, context.RequestHeaders.GetValue("traceparent"));
        return await next(request, context);
    }
}
