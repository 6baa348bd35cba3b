using System.Globalization;
using Cloud.Image;
using Cloud.Platform.Hosting;

namespace Cloud.Tests.Kit;

/// <summary>Looks at images here: a process for each would cost tests more than all the rest.</summary>
internal sealed class InThisProcess : IConfined
{
    public Task<string> Run(string verb, IReadOnlyList<string> arguments, ReadOnlyMemory<byte> input, CancellationToken ct) =>
        Task.FromResult(Inspection.Answer(arguments[0], long.Parse(arguments[1], CultureInfo.InvariantCulture), input.Span));
}
