using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Cloud.Agents.Contract;
using Cloud.Platform.Events;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>A record prints all that it holds wherever it gets into a text: a log, an error, a failed test. What holds a secret prints something else.</summary>
public sealed class PrintedSecretTests
{
    private const string Canary = "Canary-7d1f";

    // Texts of these names that are none: a policy's document, the name of an image's file, what a request's own signature is checked with and dropped.
    private static readonly string[] s_none = ["PolicyDocument.Blob", "Image.Blob", "Stored.Blob"];

    private static readonly string[] s_some = ["SyncRealm.Key", "SyncRealm.Key2"];

    private static readonly Regex s_suspect = new("(?i)(password|passphrase|secret|adminpass|userdata|privatekey|credential|token|blob|connection|signature)s?$");

    private static IEnumerable<Type> Records => new[] { typeof(Slices).Assembly, typeof(Command).Assembly, typeof(Cloud.Agents.Host.HostOptions).Assembly, typeof(Cloud.Agents.Simulated.SimulatedHost).Assembly, typeof(Cloud.Agents.Sidecar.LibvirtService).Assembly }
        .SelectMany(a => a.GetTypes()).Where(t => t.GetMethod("<Clone>$") is not null && !t.IsAbstract && !t.ContainsGenericParameters);

    private static bool IsSecret(PropertyInfo p) => Attribute.IsDefined(p, typeof(SecretAttribute)) || Texts(p) && (s_suspect.IsMatch(p.Name) || s_some.Contains($"{p.DeclaringType!.Name}.{p.Name}")) && !s_none.Contains($"{p.DeclaringType!.Name}.{p.Name}");

    private static bool Texts(PropertyInfo p) => p.PropertyType == typeof(string) || p.PropertyType == typeof(string[]);

    public static TheoryData<Type> Holders => [.. Records.Where(t => t.GetProperties().Any(IsSecret))];

    [Fact]
    public void Many_hold_secrets() => Assert.InRange(Holders.Count, 15, 200);

    [Theory, MemberData(nameof(Holders))]
    public void What_holds_a_secret_does_not_print_it(Type type)
    {
        var one = RuntimeHelpers.GetUninitializedObject(type);
        foreach (var field in Fields(type).Where(f => f.FieldType == typeof(string))) field.SetValue(one, type.GetProperties().Any(p => IsSecret(p) && field.Name == $"<{p.Name}>k__BackingField") ? Canary : "harmless");
        Assert.DoesNotContain(Canary, one.ToString(), StringComparison.Ordinal);
        // And none of its kind does by what a compiler wrote: that would print the next secret it gets.
        Assert.False(type.GetMethod(nameof(ToString), [])!.IsDefined(typeof(CompilerGeneratedAttribute)), $"{type} prints all that it holds");
    }

    /// <summary>What is kept of a resource and is secret by its name is marked, so that events leave it out.</summary>
    [Fact]
    public void Secrets_of_resources_are_marked() =>
        Assert.Empty(Records.Where(t => t.IsSubclassOf(typeof(Cloud.Platform.State.Resource))).SelectMany(t => t.GetProperties()).Where(p => IsSecret(p) && p.SetMethod is not null && !Attribute.IsDefined(p, typeof(SecretAttribute))).Select(p => $"{p.DeclaringType}.{p.Name}"));

    private static IEnumerable<FieldInfo> Fields(Type? type)
    {
        for (; type is not null; type = type.BaseType)
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly)) yield return field;
    }
}
