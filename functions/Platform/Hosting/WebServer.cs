using System.Net;
using Microsoft.Extensions.Logging.Console;

namespace Cloud.Platform.Hosting;

/// <summary>Kestrel as both ways of hosting want it.</summary>
public static class WebServer
{
    public static WebApplication Build(string contentRoot, IPEndPoint listen)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            // Or it would watch the folder for changes of files that aren't there, and wake with every write of the store.
            ContentRootPath = contentRoot, Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        builder.Logging.ClearProviders().AddSimpleConsole(o => { o.SingleLine = true; o.UseUtcTimestamp = true; o.TimestampFormat = "HH:mm:ss.fff "; o.ColorBehavior = LoggerColorBehavior.Disabled; });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // Whatever an operator wants to see: these would write down each request's address, and there are signatures and keys in some.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        builder.Services.AddSingleton<Microsoft.AspNetCore.Connections.IMemoryPoolFactory<byte>, WideBlocks>();
        // A request goes on where its bytes arrived, instead of waking one thread more.
        builder.WebHost.UseSockets(s => s.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Limits.MaxRequestBodySize = null; // each route has its own limit
            k.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            k.Limits.MaxRequestHeaderCount = 200;
            k.ResponseHeaderEncodingSelector = _ => System.Text.Encoding.UTF8;
            k.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            k.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
            k.Listen(listen);
        });
        return builder.Build();
    }
}
